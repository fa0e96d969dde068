package io.sextant.strategy;

import io.sextant.InvalidInputException;

/**
 * Item neighbours by co-occurrence, with separate exponents for the popularity of users, source and
 * target items. Of a history's item i for a target j, with x_ui the weight of the heaviest
 * interaction of user u with item i and n the sums of x:
 *
 * <pre>
 * w_ij = sum_u n_u^-userExponent x_ui x_uj / (n_i^sourceExponent n_j^targetExponent + shrinkage)
 * score(h, j) = sum over i in h of historyWeight(i) w_ij
 * </pre>
 *
 * <p>One formula covers the cosine of binary data (exponents 0, .5, .5; the conditional
 * probability-based family of Deshpande and Karypis, TOIS 2004, which also brings the user's
 * exponent), the asymmetric cosine (Aiolli, RecSys 2013) and the random walks P3alpha and RP3beta
 * (Cooper et al., WWW 2014; Paudel et al., TiiS 2017: a step from i to one of its users, from there
 * to one of the user's items j, tempered by the popularity of j).
 *
 * <p>Complexity: fitting O(sum of squared user degrees), serving O(history x neighbours); memory 8
 * bytes for each of at most I x neighbours weights. The result does not depend on the number of
 * threads.
 *
 * <p>Failure modes: the exponents decide most of the quality and differ by data, dense data (ML-1M)
 * want a large target exponent (.8), sparse ones a small one: tune them first. An item that was
 * never interacted with is never scored. A user with many thousands of items (a robot) costs the
 * square of them: {@code maxUserItems} bounds it. A decayed history needs an order: where the data
 * have neither times nor an order in the source, leave the history {@link HistoryWeights#EQUAL}.
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param userExponent how much less an active user's co-occurrences count, in [-1, 2]
 * @param sourceExponent how much less a popular item of the history counts, in [-1, 2]
 * @param targetExponent how much a popular target is held back, in [-1, 2]
 * @param shrinkage takes weight from pairs with few co-occurrences, &gt;= 0
 * @param neighbours how many targets each item keeps
 * @param maxUserItems only so many of a user's latest interactions are learned from
 * @param history how much each item of a history counts
 */
public record ItemNeighbours(
    String name,
    double userExponent,
    double sourceExponent,
    double targetExponent,
    double shrinkage,
    int neighbours,
    int maxUserItems,
    HistoryWeights history)
    implements Strategy {

  public ItemNeighbours {
    OptionChecks.name(name);
    OptionChecks.exponent("userExponent", userExponent);
    OptionChecks.exponent("sourceExponent", sourceExponent);
    OptionChecks.exponent("targetExponent", targetExponent);
    OptionChecks.check(
        shrinkage >= 0 && Double.isFinite(shrinkage),
        "shrinkage must be finite and >= 0 but was " + shrinkage);
    OptionChecks.positive("neighbours", neighbours);
    OptionChecks.positive("maxUserItems", maxUserItems);
  }

  /** The settings of {@link #rp3beta}. */
  public static Builder builder() {
    return new Builder();
  }

  /** Plain cosine, shrunk by 10, 300 neighbours: the baseline of the papers. */
  public static ItemNeighbours cosine() {
    return builder()
        .name("cosine")
        .userExponent(0)
        .sourceExponent(0.5)
        .targetExponent(0.5)
        .shrinkage(10)
        .neighbours(300)
        .build();
  }

  /**
   * Asymmetric cosine, {@code |U_i and U_j| / (n_i^alpha n_j^(1-alpha))}.
   *
   * @param alpha in [0, 1]; above .5 popular targets are held back less
   */
  public static ItemNeighbours asymmetricCosine(double alpha) {
    OptionChecks.check(alpha >= 0 && alpha <= 1, "alpha must be in [0, 1] but was " + alpha);
    return cosine().toBuilder()
        .name("asymmetric-cosine")
        .sourceExponent(alpha)
        .targetExponent(1 - alpha)
        .build();
  }

  /** Random walks as tuned on the validation part of Gowalla: exponents .7, .7, .3. */
  public static ItemNeighbours rp3beta() {
    return builder().build();
  }

  /** The same for histories that are in order: the latest items count most. */
  public ItemNeighbours ordered() {
    return toBuilder().history(HistoryWeights.RECENT).build();
  }

  /** A builder that starts from these options. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.name = name;
    builder.userExponent = userExponent;
    builder.sourceExponent = sourceExponent;
    builder.targetExponent = targetExponent;
    builder.shrinkage = shrinkage;
    builder.neighbours = neighbours;
    builder.maxUserItems = maxUserItems;
    builder.history = history;
    return builder;
  }

  @Override
  public SearchSpace searchSpace() {
    return SearchSpace.builder()
        .reals("userExponent", 0, 1)
        .reals("sourceExponent", 0, 1)
        .reals("targetExponent", 0, 1)
        .logIntegers("neighbours", 50, 2000)
        .decayOf(history)
        .build();
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    Links users = Links.of(context.train().interactions(), maxUserItems);
    if (users.columns().length == 0) {
      throw new InvalidInputException(
          "strategy '%s' has no interaction to learn from".formatted(name));
    }
    Links items = users.transposed();
    ItemWeights weights =
        NearestItems.of(
            neighbours,
            new NearestItems.Divisor(
                items.degrees(sourceExponent), items.degrees(targetExponent), (float) shrinkage),
            new CoOccurrence(users, items, users.degrees(-userExponent)));
    return new FittedItemItem(weights, history, toString());
  }

  /** Collects options; each has a default. Not thread-safe. */
  public static final class Builder {
    private String name = "rp3beta";
    private double userExponent = 0.7;
    private double sourceExponent = 0.7;
    private double targetExponent = 0.3;
    private double shrinkage;
    private int neighbours = 1000;
    private int maxUserItems = 10_000;
    private HistoryWeights history = HistoryWeights.EQUAL;

    private Builder() {}

    public Builder name(String name) {
      this.name = name;
      return this;
    }

    public Builder userExponent(double userExponent) {
      this.userExponent = userExponent;
      return this;
    }

    public Builder sourceExponent(double sourceExponent) {
      this.sourceExponent = sourceExponent;
      return this;
    }

    public Builder targetExponent(double targetExponent) {
      this.targetExponent = targetExponent;
      return this;
    }

    public Builder shrinkage(double shrinkage) {
      this.shrinkage = shrinkage;
      return this;
    }

    public Builder neighbours(int neighbours) {
      this.neighbours = neighbours;
      return this;
    }

    public Builder maxUserItems(int maxUserItems) {
      this.maxUserItems = maxUserItems;
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
    public ItemNeighbours build() {
      return new ItemNeighbours(
          name,
          userExponent,
          sourceExponent,
          targetExponent,
          shrinkage,
          neighbours,
          maxUserItems,
          history);
    }
  }
}
