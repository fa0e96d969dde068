package io.sextant.strategy;

import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import java.util.Arrays;
import java.util.List;

/**
 * Items with the same attributes: categorical and multi-hot features as tf-idf vectors, compared by
 * cosine, popular ones first. With t_ia how often item i has attribute a and n_j the sum of the
 * weights of the interactions with j:
 *
 * <pre>
 * f_i = (t_ia ln(I / items with a))_a, divided by its length
 * w_ij = f_i . f_j max(1, n_j)^popularityExponent
 * score(h, j) = sum over i in h of historyWeight(i) w_ij
 * </pre>
 *
 * <p>The vector space model of Salton and Buckley (IP&amp;M 1988), as content-based recommenders
 * use it (Lops et al., "Content-based Recommender Systems", 2011). Items that nobody has interacted
 * with are recommended like others: this is the strategy for a cold catalogue. Items without
 * attributes score 0. For given vectors (text, images) see {@link ContentVectors}.
 *
 * <p>Complexity: fitting O(sum of squared attribute frequencies) through an inverted index, serving
 * O(history x neighbours); memory 8 bytes for each of at most I x neighbours weights. The result
 * does not depend on the number of threads.
 *
 * <p>Failure modes: attributes of more than {@code maxAttributeItems} items are left out, because
 * they cost their square and tell little; if there are only such, fitting is refused. A lower bound
 * is quicker and may be better: tune it. Few distinct attributes make many equal weights, of which
 * those of popular items are kept, then those of lower indices. Recommends more of the same: mix
 * it.
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param features the names of the categorical and multi-hot features to use; empty for all
 * @param popularityExponent how much popular targets are preferred, in [-1, 2]
 * @param neighbours how many targets each item keeps
 * @param maxAttributeItems attributes of more items are left out
 * @param history how much each item of a history counts
 */
public record ContentNeighbours(
    String name,
    List<String> features,
    double popularityExponent,
    int neighbours,
    int maxAttributeItems,
    HistoryWeights history)
    implements Strategy {

  public ContentNeighbours {
    features = List.copyOf(features);
    OptionChecks.name(name);
    OptionChecks.exponent("popularityExponent", popularityExponent);
    OptionChecks.positive("neighbours", neighbours);
    OptionChecks.positive("maxAttributeItems", maxAttributeItems);
  }

  /** All attributes, popularity to the power .25. */
  public static Builder builder() {
    return new Builder();
  }

  /** The default settings, as tuned on the validation part of Beauty. */
  public static ContentNeighbours attributes() {
    return builder().build();
  }

  /** The same for histories that are in order: the latest items count most. */
  public ContentNeighbours ordered() {
    return toBuilder().history(HistoryWeights.RECENT).build();
  }

  /** A builder that starts from these options. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.name = name;
    builder.features = features;
    builder.popularityExponent = popularityExponent;
    builder.neighbours = neighbours;
    builder.maxAttributeItems = maxAttributeItems;
    builder.history = history;
    return builder;
  }

  @Override
  public SearchSpace searchSpace() {
    return SearchSpace.builder()
        .reals("popularityExponent", -0.5, 1)
        .logIntegers("neighbours", 50, 1000)
        .decayOf(history)
        .build();
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    Dataset data = context.train();
    Links items;
    try {
      items = Attributes.of(data.items(), features).tfIdf(maxAttributeItems);
    } catch (InvalidInputException e) {
      throw new InvalidInputException("strategy '%s': %s".formatted(name, e.getMessage()), e);
    }
    Links attributes = items.transposed();
    float[] ones = new float[data.items().numRows()];
    Arrays.fill(ones, 1);
    float[] each = new float[attributes.numRows()];
    Arrays.fill(each, 1);
    ItemWeights weights =
        NearestItems.of(
            neighbours,
            new NearestItems.Divisor(ones, popularity(data.interactions(), -popularityExponent), 0),
            new CoOccurrence(attributes, items, each));
    return new FittedItemItem(weights, history, toString());
  }

  /** Summed weights to a power; items with less than 1 count as 1, so that cold ones take part. */
  static float[] popularity(Interactions train, double exponent) {
    double[] sums = new double[train.numItems()];
    for (int row = 0; row < train.size(); row++) {
      sums[train.itemAt(row)] += train.weightAt(row);
    }
    float[] powers = new float[sums.length];
    for (int item = 0; item < powers.length; item++) {
      powers[item] = (float) Math.pow(Math.max(1, sums[item]), exponent);
    }
    return powers;
  }

  /** Collects options; each has a default. Not thread-safe. */
  public static final class Builder {
    private String name = "content";
    private List<String> features = List.of();
    private double popularityExponent = 0.25;
    private int neighbours = 300;
    private int maxAttributeItems = 20_000;
    private HistoryWeights history = HistoryWeights.EQUAL;

    private Builder() {}

    public Builder name(String name) {
      this.name = name;
      return this;
    }

    public Builder features(List<String> features) {
      this.features = features;
      return this;
    }

    public Builder popularityExponent(double popularityExponent) {
      this.popularityExponent = popularityExponent;
      return this;
    }

    public Builder neighbours(int neighbours) {
      this.neighbours = neighbours;
      return this;
    }

    public Builder maxAttributeItems(int maxAttributeItems) {
      this.maxAttributeItems = maxAttributeItems;
      return this;
    }

    public Builder history(HistoryWeights history) {
      this.history = history;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidInputException if one is out of its range
     */
    public ContentNeighbours build() {
      return new ContentNeighbours(
          name, features, popularityExponent, neighbours, maxAttributeItems, history);
    }
  }
}
