package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.TrainingListener;
import java.util.Arrays;
import java.util.Map;

/**
 * Matrix factorisation for implicit feedback by alternating least squares (Hu, Koren and Volinsky,
 * ICDM 2008, <a href="https://doi.org/10.1109/ICDM.2008.22">doi:10.1109/ICDM.2008.22</a>), with the
 * weights and the regularisation of Rendle, Krichene, Zhang and Koren (RecSys 2022, <a
 * href="https://arxiv.org/abs/2110.14037">arXiv:2110.14037</a>). It minimises
 *
 * <pre>
 * sum over observed (u,i) of (1 - x_u y_i)^2  +  a * sum over all (u,i) of (x_u y_i)^2
 *   +  sum over u of r_u |x_u|^2  +  sum over i of r_i |y_i|^2,
 * r_u = l2 * (n_u + a I)^l2Power,   r_i = l2 * (n_i + a U)^l2Power
 * </pre>
 *
 * with a the unobserved weight and n the number of distinct partners: a pair counts once, however
 * often it occurs. Half of the factors at a time is solved for by a few steps of conjugate gradient
 * from their last value (Takacs, Pilaszy and Tikk, RecSys 2011, <a
 * href="https://doi.org/10.1145/2043932.2043987">doi:10.1145/2043932.2043987</a>).
 *
 * <p>Serving keeps the item factors only. Every user, known or not, is solved for anew from the
 * history, so a new event changes the next list; order and repetition in the history do not. A user
 * without history scores 0 everywhere.
 *
 * <p>Complexity: an epoch costs O(cgSteps (n D + (U + I) D^2)), n pairs; memory (U + I) D floats. A
 * query costs O(D^2 + L D) for each of its steps. On the CPU the result does not depend on the
 * number of threads.
 *
 * <p>Failure modes: unobservedWeight and l2 decide most of the quality and go with the data's
 * density: the defaults suit sparse data (thousandths of all pairs observed), dense data as ML-1M
 * want about ten and three times as much. Tables of more than memory are refused with the remedy.
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param factors D
 * @param epochs how often both halves are solved
 * @param unobservedWeight a; of an observed pair it is 1 more
 * @param l2 strength of the penalty
 * @param l2Power how the penalty grows with the degree: 0 not at all, 1 in proportion
 * @param cgSteps steps of conjugate gradient for each half
 * @param initStd standard deviation of a start vector's length
 * @param weighted whether an observed pair counts as the heaviest of its interactions does, and n
 *     sums these weights; otherwise all pairs count the same. Histories that are served always do
 * @param seed of the start
 */
public record Als(
    String name,
    int factors,
    int epochs,
    double unobservedWeight,
    double l2,
    double l2Power,
    int cgSteps,
    double initStd,
    boolean weighted,
    long seed)
    implements Strategy {

  static final String TYPE = "als";

  public Als {
    OptionChecks.name(name);
    OptionChecks.positive("factors", factors);
    OptionChecks.positive("epochs", epochs);
    OptionChecks.check(
        unobservedWeight > 0 && unobservedWeight <= 1,
        "unobservedWeight must be in (0, 1] but was " + unobservedWeight);
    OptionChecks.check(l2 > 0 && Double.isFinite(l2), "l2 must be > 0 but was " + l2);
    OptionChecks.check(
        l2Power >= 0 && l2Power <= 2, "l2Power must be in [0, 2] but was " + l2Power);
    OptionChecks.positive("cgSteps", cgSteps);
    OptionChecks.check(
        initStd > 0 && Double.isFinite(initStd), "initStd must be > 0 but was " + initStd);
  }

  /** Under the name {@code als}, with settings for sparse data. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public Als withSeed(long newSeed) {
    return new Als(
        name, factors, epochs, unobservedWeight, l2, l2Power, cgSteps, initStd, weighted, newSeed);
  }

  @Override
  public SearchSpace searchSpace() {
    return SearchSpace.builder()
        .choice("factors", 32, 64, 128, 192, 256)
        .integers("epochs", 4, 20)
        .logReals("unobservedWeight", 1e-3, 0.5)
        .logReals("l2", 1e-3, 0.3)
        .build();
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    return MemoryGuard.run(
        name, "take fewer factors", () -> TensorThreads.call(() -> fitOnTensorThread(context)));
  }

  private FittedStrategy fitOnTensorThread(FitContext context) {
    Interactions train = context.train().interactions();
    Links byUser = weighted ? Links.of(train, Integer.MAX_VALUE) : BinaryMatrix.of(train).toLinks();
    if (byUser.columns().length == 0) {
      throw new InvalidInputException(
          "strategy '%s' has no interaction to learn from".formatted(name));
    }
    Scope model = Scope.open(context.device());
    try (Scope work = model.child()) {
      AlsSolver solver =
          context.device().isGpu()
              ? new AlsOnDevice(work, this, byUser, AlsOnDevice.maxEntries(factors))
              : new AlsOnHost(this, byUser);
      run(solver, byUser.columns().length, context.listener());
      NDArray vectors = solver.itemVectors(model);
      if (!Float.isFinite(work.adopt(vectors.sum()).getFloat())) {
        throw new InvalidInputException(
            "strategy '%s' diverged: raise l2 or unobservedWeight".formatted(name));
      }
      return new FittedAls(model, this, vectors);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  private void run(AlsSolver solver, int pairs, TrainingListener listener) {
    double lowest = Double.POSITIVE_INFINITY;
    for (int epoch = 0; epoch < epochs; epoch++) {
      solver.epoch();
      // The objective costs a pass over the data: only where somebody listens.
      if (listener != TrainingListener.NONE) {
        double objective = solver.objective();
        listener.onEpoch(epoch, objective / pairs, Map.of(), objective < lowest);
        lowest = Math.min(lowest, objective);
      }
    }
  }

  /** The penalty of a row with so many observations out of so many possible ones. */
  float regularisation(double degree, int possible) {
    return (float) (l2 * Math.pow(degree + unobservedWeight * possible, l2Power));
  }

  /** A Gramian times the weight of what is not observed, in float. */
  float[][] weighted(double[][] gramian) {
    float[][] weighted = new float[gramian.length][gramian.length];
    for (int d = 0; d < gramian.length; d++) {
      for (int e = 0; e < gramian.length; e++) {
        weighted[d][e] = (float) (unobservedWeight * gramian[d][e]);
      }
    }
    return weighted;
  }

  /**
   * Where the item factors start; the user factors start at 0 and are solved for first. An item
   * that nobody has is and stays 0.
   */
  TallMatrix initialItems(Links byItem) {
    TallMatrix start =
        TallMatrix.gaussian(
            byItem.numRows(), factors, initStd / Math.sqrt(factors), seed, "als-items");
    for (int item = 0; item < byItem.numRows(); item++) {
      if (byItem.degree(item) == 0) {
        Arrays.fill(start.row(item), 0);
      }
    }
    return start;
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private String name = TYPE;
    private int factors = 128;
    private int epochs = 10;
    private double unobservedWeight = 0.01;
    private double l2 = 0.003;
    private double l2Power = 1;
    private int cgSteps = 3;
    private double initStd = 0.1;
    private boolean weighted;
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

    public Builder epochs(int epochs) {
      this.epochs = epochs;
      return this;
    }

    public Builder unobservedWeight(double unobservedWeight) {
      this.unobservedWeight = unobservedWeight;
      return this;
    }

    public Builder l2(double l2) {
      this.l2 = l2;
      return this;
    }

    public Builder l2Power(double l2Power) {
      this.l2Power = l2Power;
      return this;
    }

    public Builder cgSteps(int cgSteps) {
      this.cgSteps = cgSteps;
      return this;
    }

    public Builder initStd(double initStd) {
      this.initStd = initStd;
      return this;
    }

    public Builder weighted(boolean weighted) {
      this.weighted = weighted;
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
    public Als build() {
      return new Als(
          name, factors, epochs, unobservedWeight, l2, l2Power, cgSteps, initStd, weighted, seed);
    }
  }
}
