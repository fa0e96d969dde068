package io.sextant.strategy;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import org.jspecify.annotations.Nullable;

/**
 * Low-pass filters on the graph of users and items, GF-CF (Shen, Wu, Zhang, Shan, Zhang, Letaief
 * and Li, CIKM 2021, <a href="https://arxiv.org/abs/2108.07567">arXiv:2108.07567</a>). With X the
 * (U, I) matrix of who has what, the degrees n on diagonals and {@code N = n_U^-1/2 X n_I^-1/2},
 *
 * <pre>
 * scores = h (N' N  +  filterWeight * n_I^-1/2 V V' n_I^1/2)
 * </pre>
 *
 * for a history h, with V the right singular vectors of N of the largest values: a linear filter,
 * which is an item neighbourhood, and an ideal one, which keeps the lowest frequencies alone. The
 * singular vectors come from {@link RandomizedSvd}. Only the strongest weights of the linear part
 * are kept; without it what remains is a truncated SVD.
 *
 * <p>Complexity: see {@link RandomizedSvd} for the dense part (I D floats), O(sum of squared
 * degrees of users) time and {@code I * neighbours * 8} bytes at most for the sparse part. A query
 * costs O(L D + L neighbours). The result does not depend on the number of threads.
 *
 * <p>Failure modes: where the data have fewer than D directions of note, fewer are kept; dense data
 * want fewer factors (64 on ML-1M) and no linear part. Who has thousands of items costs the square
 * of them in the linear part.
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param factors D, how many singular vectors; the rank of the data if that is smaller
 * @param oversampling so many more directions are iterated on, for accuracy
 * @param iterations of the subspace
 * @param filterWeight of the ideal filter beside the linear one
 * @param neighbours at most so many weights of each source item are kept; 0 for no linear part
 * @param history how much each item of a history counts
 * @param seed of the start
 */
public record LowPass(
    String name,
    int factors,
    int oversampling,
    int iterations,
    double filterWeight,
    int neighbours,
    HistoryWeights history,
    long seed)
    implements Strategy {

  static final String TYPE = "low-pass";

  public LowPass {
    OptionChecks.name(name);
    OptionChecks.positive("factors", factors);
    OptionChecks.check(oversampling >= 0, "oversampling must be >= 0 but was " + oversampling);
    OptionChecks.check(iterations >= 0, "iterations must be >= 0 but was " + iterations);
    OptionChecks.check(
        filterWeight > 0 && Double.isFinite(filterWeight),
        "filterWeight must be > 0 but was " + filterWeight);
    OptionChecks.check(neighbours >= 0, "neighbours must be >= 0 but was " + neighbours);
  }

  /** Under the name {@code low-pass}, with settings for sparse data. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public LowPass withSeed(long newSeed) {
    return new LowPass(
        name, factors, oversampling, iterations, filterWeight, neighbours, history, newSeed);
  }

  @Override
  public SearchSpace searchSpace() {
    return SearchSpace.builder()
        .choice("factors", 32, 64, 128, 256, 384)
        .logReals("filterWeight", 0.03, 3)
        .decayOf(history)
        .build();
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    return MemoryGuard.run(
        name,
        "take fewer factors or neighbours",
        () -> TensorThreads.call(() -> fitOnTensorThread(context)));
  }

  private FittedStrategy fitOnTensorThread(FitContext context) {
    Interactions train = context.train().interactions();
    BinaryMatrix byUser = BinaryMatrix.of(train);
    if (byUser.size() == 0) {
      throw new InvalidInputException(
          "strategy '%s' has no interaction to learn from".formatted(name));
    }
    BinaryMatrix byItem = byUser.transpose();
    float[] userScale = inverseRoots(byUser);
    float[] itemScale = inverseRoots(byItem);
    RandomizedSvd svd =
        RandomizedSvd.of(byUser, userScale, itemScale, factors, oversampling, iterations, seed);
    // n^1/2 V on the items' side; the history's side n^-1/2 V is then this divided by n.
    TallMatrix vectors = svd.vectors();
    float[] historyScale = new float[itemScale.length];
    for (int item = 0; item < itemScale.length; item++) {
      float[] row = vectors.row(item);
      if (itemScale[item] > 0) {
        historyScale[item] = (float) (itemScale[item] * itemScale[item] / filterWeight);
        for (int d = 0; d < row.length; d++) {
          row[d] *= (float) (filterWeight / itemScale[item]);
        }
      }
    }
    FittedItemItem linear =
        neighbours == 0 ? null : new FittedItemItem(linearWeights(byUser, byItem), history, name);
    return fitted(context, vectors, historyScale, linear);
  }

  private FittedStrategy fitted(
      FitContext context,
      TallMatrix vectors,
      float[] historyScale,
      @Nullable FittedItemItem linear) {
    Scope model = Scope.open(context.device());
    try {
      return new FittedLowPass(
          model, this, vectors.toTensor(model.manager()), historyScale, linear);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** N' N by rows; an item says nothing about itself, which in serving is in the history. */
  private ItemWeights linearWeights(BinaryMatrix byUser, BinaryMatrix byItem) {
    Links users = byUser.toLinks();
    Links items = byItem.toLinks();
    float[] userFactors = users.degrees(-1);
    float[] roots = items.degrees(0.5);
    return NearestItems.of(
        neighbours,
        new NearestItems.Divisor(roots, roots, 0),
        new CoOccurrence(users, items, userFactors));
  }

  /** n^-1/2, 0 for empty rows. */
  private static float[] inverseRoots(BinaryMatrix matrix) {
    float[] scale = new float[matrix.numRows()];
    for (int row = 0; row < scale.length; row++) {
      scale[row] = matrix.degree(row) == 0 ? 0 : (float) (1 / Math.sqrt(matrix.degree(row)));
    }
    return scale;
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private String name = TYPE;
    private int factors = 256;
    private int oversampling = 16;
    private int iterations = 3;
    private double filterWeight = 0.25;
    private int neighbours = 500;
    private HistoryWeights history = HistoryWeights.EQUAL;
    private long seed;

    private Builder() {}

    public Builder name(String name) {
      this.name = name;
      return this;
    }

    public Builder factors(int factors) {
      this.factors = factors;
      return this;
    }

    public Builder oversampling(int oversampling) {
      this.oversampling = oversampling;
      return this;
    }

    public Builder iterations(int iterations) {
      this.iterations = iterations;
      return this;
    }

    public Builder filterWeight(double filterWeight) {
      this.filterWeight = filterWeight;
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

    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * The strategy.
     *
     * @throws io.sextant.InvalidInputException if an option is out of its range
     */
    public LowPass build() {
      return new LowPass(
          name, factors, oversampling, iterations, filterWeight, neighbours, history, seed);
    }
  }
}
