package io.sextant.strategy;

import io.sextant.InvalidInputException;

/**
 * What similar users did: the k users of training who are nearest to the user's history vote for
 * their items. With x_vi the weight of the heaviest interaction of user v with item i and n the
 * sums of x:
 *
 * <pre>
 * similarity(h, v) = sum over i in h of historyWeight(i) n_i^-itemExponent x_vi / n_v^userExponent
 * score(h, j) = sum over the k nearest v of similarity(h, v) x_vj n_j^-targetExponent
 * </pre>
 *
 * <p>The user's own row of training does not vote: it knows only what the user has seen. A user who
 * was not there in training is served by history alone. User neighbours are the first collaborative
 * filter (GroupLens, Resnick et al., CSCW 1994; Herlocker et al., SIGIR 1999); with a decayed
 * history and all users as neighbours they are the session neighbours of Ludewig and Jannach (UMUAI
 * 2018).
 *
 * <p>Complexity: fitting O(rows log(rows of the busiest user)). Serving goes through an inverted
 * index, O(sum of the popularity of the history's items + users + votes of k users) for each user;
 * memory 20 bytes for each pair of user and item, and 16 bytes a user for each serving thread. It
 * is the dearest neighbour strategy to serve, and its bundle holds who interacted with what.
 *
 * <p>Failure modes: very popular items make it slow and its neighbours arbitrary (raise {@code
 * itemExponent}); a user without history gets no scores. A decayed history needs an order: without
 * one leave the history {@link HistoryWeights#EQUAL}.
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param itemExponent how much less a popular item says about similarity, in [-1, 2]
 * @param userExponent how much an active user is held back as a neighbour, in [-1, 2]
 * @param targetExponent how much a popular target is held back, in [-1, 2]
 * @param neighbours k, how many users vote
 * @param maxUserItems only so many of a user's latest interactions are learned from
 * @param history how much each item of a history counts
 */
public record UserNeighbours(
    String name,
    double itemExponent,
    double userExponent,
    double targetExponent,
    int neighbours,
    int maxUserItems,
    HistoryWeights history)
    implements Strategy {

  static final String TYPE = "user-neighbours";

  public UserNeighbours {
    OptionChecks.name(name);
    OptionChecks.exponent("itemExponent", itemExponent);
    OptionChecks.exponent("userExponent", userExponent);
    OptionChecks.exponent("targetExponent", targetExponent);
    OptionChecks.positive("neighbours", neighbours);
    OptionChecks.positive("maxUserItems", maxUserItems);
  }

  /** The settings of {@link #nearest}. */
  public static Builder builder() {
    return new Builder();
  }

  /** The 500 nearest users vote, as tuned on the validation part of Gowalla. */
  public static UserNeighbours nearest() {
    return builder().build();
  }

  /**
   * For histories that are in order: the latest items count most, and all users vote, as tuned on
   * the validation part of Beauty.
   */
  public static UserNeighbours sessions() {
    return builder()
        .name("session-neighbours")
        .targetExponent(0)
        .neighbours(Integer.MAX_VALUE)
        .history(HistoryWeights.RECENT)
        .build();
  }

  /** A builder that starts from these options. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.name = name;
    builder.itemExponent = itemExponent;
    builder.userExponent = userExponent;
    builder.targetExponent = targetExponent;
    builder.neighbours = neighbours;
    builder.maxUserItems = maxUserItems;
    builder.history = history;
    return builder;
  }

  @Override
  public SearchSpace searchSpace() {
    SearchSpace.Builder space =
        SearchSpace.builder()
            .reals("itemExponent", 0, 1)
            .reals("userExponent", 0, 1)
            .reals("targetExponent", 0, 1)
            .decayOf(history);
    if (neighbours < Integer.MAX_VALUE) {
      space.logIntegers("neighbours", 50, 2000);
    }
    return space.build();
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    Links users = Links.of(context.train().interactions(), maxUserItems);
    if (users.columns().length == 0) {
      throw new InvalidInputException(
          "strategy '%s' has no interaction to learn from".formatted(name));
    }
    return new FittedUserNeighbours(this, users);
  }

  /** Collects options; each has a default. Not thread-safe. */
  public static final class Builder {
    private String name = TYPE;
    private double itemExponent = 0.5;
    private double userExponent = 0.5;
    private double targetExponent = 0.2;
    private int neighbours = 500;
    private int maxUserItems = 10_000;
    private HistoryWeights history = HistoryWeights.EQUAL;

    private Builder() {}

    public Builder name(String name) {
      this.name = name;
      return this;
    }

    public Builder itemExponent(double itemExponent) {
      this.itemExponent = itemExponent;
      return this;
    }

    public Builder userExponent(double userExponent) {
      this.userExponent = userExponent;
      return this;
    }

    public Builder targetExponent(double targetExponent) {
      this.targetExponent = targetExponent;
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
    public UserNeighbours build() {
      return new UserNeighbours(
          name, itemExponent, userExponent, targetExponent, neighbours, maxUserItems, history);
    }
  }
}
