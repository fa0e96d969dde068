package io.sextant;

import org.jspecify.annotations.Nullable;

/**
 * How a list is to be varied. Items are taken greedily from the ranking:
 *
 * <ul>
 *   <li>at most so many that share a value of an attribute; an item without the attribute may
 *       always come;
 *   <li>by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the next item has the
 *       greatest {@code relevance r - (1 - relevance) s}, with r its score, scaled to [0, 1] over
 *       the best {@code max(4 k, 100)} items, and s its greatest likeness to an item that the list
 *       has. Likeness is the cosine of the model's item vectors, or, where it has none, the share
 *       of attribute values that two items have in common.
 * </ul>
 *
 * <p>Thread safety: immutable.
 *
 * @param attribute of which no value may come too often; null for no such limit
 * @param maxPerValue how often one may come
 * @param relevance in [0, 1]; 1 for the order of the scores alone
 */
public record Diversity(@Nullable String attribute, int maxPerValue, double relevance) {

  /** The ranking as it is. */
  public static final Diversity NONE = new Diversity(null, 1, 1);

  public Diversity {
    if (maxPerValue < 1) {
      throw new InvalidInputException("maxPerValue must be >= 1 but was " + maxPerValue);
    }
    if (!(relevance >= 0 && relevance <= 1)) {
      throw new InvalidInputException("relevance must lie in [0, 1] but was " + relevance);
    }
  }

  /** At most so many items that share a value of the attribute. */
  public static Diversity atMost(int maxPerValue, String attribute) {
    return new Diversity(attribute, maxPerValue, 1);
  }

  /** Maximal marginal relevance. */
  public static Diversity marginalRelevance(double relevance) {
    return new Diversity(null, 1, relevance);
  }

  /** The same limit with another weight of relevance. */
  public Diversity withRelevance(double other) {
    return new Diversity(attribute, maxPerValue, other);
  }
}
