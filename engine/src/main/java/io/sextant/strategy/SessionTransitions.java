package io.sextant.strategy;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import java.util.Arrays;

/**
 * What follows what: transitions between the items of a sequence, also over several items between.
 * Of a history's item i for a target j, over all places p of i in the users' sequences s and with v
 * the weight of an interaction and n_i the sum of the weights of item i:
 *
 * <pre>
 * T_ij = sum over p, g = 1..maxGap of gapDecay^(g-1) ([s_(p+g) = j] v + reverse [s_(p-g) = j] v)
 * w_ij = T_ij / (n_i^sourceExponent n_j^targetExponent)
 * score(h, j) = sum over i in h of historyWeight(i) w_ij
 * </pre>
 *
 * <p>With one gap and no reverse it is the Markov chain, with more the sequential rules of Ludewig
 * and Jannach ("Evaluation of session-based recommendation algorithms", UMUAI 2018), to which the
 * reverse direction and the popularity exponents are added here. A transition counts by the weight
 * of the interaction to which it leads; v = 0 is left out of the sequence.
 *
 * <p>Complexity: fitting O(rows x maxGap), serving O(history x neighbours); memory 8 bytes for each
 * of at most min(I x neighbours, 2 rows x maxGap) weights. The result does not depend on the number
 * of threads.
 *
 * <p>Failure modes: it lives on order. Interactions without times keep the order of their source;
 * where that has none either (Gowalla's files are sorted by item) the transitions mean nothing: use
 * {@link ItemNeighbours}. Items seen once have few transitions: mix it with a strategy of wider
 * reach.
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param maxGap how many steps apart two items may be, 1 for direct successors only
 * @param gapDecay how much a transition loses with each further step, in (0, 1]
 * @param reverse how much a transition counts backwards, in [0, 1]
 * @param sourceExponent how much less a popular item of the history counts, in [-1, 2]
 * @param targetExponent how much a popular target is held back, in [-1, 2]
 * @param neighbours how many targets each item keeps
 * @param history how much each item of a history counts
 */
public record SessionTransitions(
    String name,
    int maxGap,
    double gapDecay,
    double reverse,
    double sourceExponent,
    double targetExponent,
    int neighbours,
    HistoryWeights history)
    implements Strategy {

  public SessionTransitions {
    OptionChecks.name(name);
    OptionChecks.positive("maxGap", maxGap);
    OptionChecks.check(
        gapDecay > 0 && gapDecay <= 1, "gapDecay must be in (0, 1] but was " + gapDecay);
    OptionChecks.check(
        reverse >= 0 && reverse <= 1, "reverse must be in [0, 1] but was " + reverse);
    OptionChecks.exponent("sourceExponent", sourceExponent);
    OptionChecks.exponent("targetExponent", targetExponent);
    OptionChecks.positive("neighbours", neighbours);
  }

  /** The settings of {@link #wide}. */
  public static Builder builder() {
    return new Builder();
  }

  /** Gaps up to 10, .8 with each, .3 backwards, as tuned on the validation part of Beauty. */
  public static SessionTransitions wide() {
    return builder().build();
  }

  /** Direct successors only: a first-order Markov chain with popularity exponents. */
  public static SessionTransitions next() {
    return builder().name("next").maxGap(1).reverse(0).build();
  }

  /** A builder that starts from these options. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.name = name;
    builder.maxGap = maxGap;
    builder.gapDecay = gapDecay;
    builder.reverse = reverse;
    builder.sourceExponent = sourceExponent;
    builder.targetExponent = targetExponent;
    builder.neighbours = neighbours;
    builder.history = history;
    return builder;
  }

  @Override
  public SearchSpace searchSpace() {
    SearchSpace.Builder space =
        SearchSpace.builder()
            .reals("sourceExponent", 0, 1)
            .reals("targetExponent", 0, 1)
            .decayOf(history);
    if (maxGap > 1) {
      space.integers("maxGap", 2, 15).reals("gapDecay", 0.4, 1).reals("reverse", 0, 1);
    }
    return space.build();
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    Interactions all = context.train().interactions();
    Interactions train = all.filter(row -> all.weightAt(row) > 0);
    if (train.size() == 0) {
      throw new InvalidInputException(
          "strategy '%s' has no interaction to learn from".formatted(name));
    }
    ItemWeights weights =
        NearestItems.of(
            neighbours,
            new NearestItems.Divisor(
                popularity(train, sourceExponent), popularity(train, targetExponent), 0),
            Sequences.of(train, this));
    return new FittedItemItem(weights, history, toString());
  }

  private static float[] popularity(Interactions train, double exponent) {
    double[] sums = new double[train.numItems()];
    for (int row = 0; row < train.size(); row++) {
      sums[train.itemAt(row)] += train.weightAt(row);
    }
    float[] powers = new float[sums.length];
    for (int item = 0; item < powers.length; item++) {
      powers[item] = sums[item] == 0 ? 1 : (float) Math.pow(sums[item], exponent);
    }
    return powers;
  }

  /**
   * The sequences, and where each item occurs in them.
   *
   * @param gapWeights (maxGap) by gap - 1
   * @param occurrences rows of each item, ascending
   * @param starts (I + 1) where each item's occurrences begin
   * @param userOfRow the user of each row
   */
  private record Sequences(
      Interactions train,
      float[] gapWeights,
      float reverse,
      int[] occurrences,
      int[] starts,
      int[] userOfRow)
      implements NearestItems.Evidence {

    static Sequences of(Interactions train, SessionTransitions options) {
      int longest = 0;
      for (int user = 0; user < train.numUsers(); user++) {
        longest = Math.max(longest, train.degree(user));
      }
      float[] gapWeights = new float[Math.min(options.maxGap, longest)];
      for (int gap = 0; gap < gapWeights.length; gap++) {
        gapWeights[gap] = (float) Math.pow(options.gapDecay, gap);
      }
      int[] counts = train.itemCounts();
      int[] starts = new int[counts.length + 1];
      for (int item = 0; item < counts.length; item++) {
        starts[item + 1] = starts[item] + counts[item];
      }
      int[] next = Arrays.copyOf(starts, counts.length);
      int[] occurrences = new int[train.size()];
      for (int row = 0; row < occurrences.length; row++) {
        occurrences[next[train.itemAt(row)]++] = row;
      }
      return new Sequences(
          train, gapWeights, (float) options.reverse, occurrences, starts, train.userOfRow());
    }

    @Override
    public void collect(int source, ScoreSums into) {
      for (int at = starts[source]; at < starts[source + 1]; at++) {
        int row = occurrences[at];
        int before = row - train.start(userOfRow[row]);
        int after = train.end(userOfRow[row]) - 1 - row;
        for (int gap = 1; gap <= Math.min(after, gapWeights.length); gap++) {
          add(row + gap, gapWeights[gap - 1], into);
        }
        if (reverse > 0) {
          for (int gap = 1; gap <= Math.min(before, gapWeights.length); gap++) {
            add(row - gap, gapWeights[gap - 1] * reverse, into);
          }
        }
      }
    }

    private void add(int row, float factor, ScoreSums into) {
      into.add(train.itemAt(row), factor * train.weightAt(row));
    }
  }

  /** Collects options; each has a default. Not thread-safe. */
  public static final class Builder {
    private String name = "transitions";
    private int maxGap = 10;
    private double gapDecay = 0.8;
    private double reverse = 0.3;
    private double sourceExponent = 0.5;
    private double targetExponent = 0.3;
    private int neighbours = 1000;
    private HistoryWeights history = HistoryWeights.RECENT;

    private Builder() {}

    public Builder name(String name) {
      this.name = name;
      return this;
    }

    public Builder maxGap(int maxGap) {
      this.maxGap = maxGap;
      return this;
    }

    public Builder gapDecay(double gapDecay) {
      this.gapDecay = gapDecay;
      return this;
    }

    public Builder reverse(double reverse) {
      this.reverse = reverse;
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

    public Builder neighbours(int neighbours) {
      this.neighbours = neighbours;
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
    public SessionTransitions build() {
      return new SessionTransitions(
          name, maxGap, gapDecay, reverse, sourceExponent, targetExponent, neighbours, history);
    }
  }
}
