package io.sextant.train;

import io.sextant.InvalidInputException;
import io.sextant.tensor.RowOptimizer;

/**
 * How a model is trained.
 *
 * @param epochs passes over the examples, at most
 * @param batchSize examples that are computed at once, B
 * @param accumulate batches a step: a step learns from {@code batchSize * accumulate} examples, in
 *     the memory that recording {@code batchSize} of them takes. It is the step of one batch of
 *     that size, within rounding; only the dropout of activations draws anew for each batch. Steps
 *     that record nothing (closed forms) take all examples at once. Policies that look ahead record
 *     whole steps
 * @param tableMemory bytes of the device that embedding tables with their accumulators may take, 0
 *     for all that they need. Rows beyond are in the host's memory and are brought in when a batch
 *     reads them ({@link io.sextant.tensor.RowCache}); every step is recorded then. The distinct
 *     rows of a step must find room
 * @param learningRate alpha: step size of dense weights (Adam)
 * @param userLearningRate alpha_u: step size of user rows
 * @param itemLearningRate alpha_i: step size of item rows
 * @param rowOptimizer optimizer of embedding tables
 * @param l2 lambda: each example adds lambda/2 |row|^2 for every row that it reads, and every step
 *     lambda/2 |w|^2 for the dense weights
 * @param weightDecay decoupled decay of dense weights
 * @param clipNorm limit of the gradients' global norm; infinite for none
 * @param schedule how the step sizes change
 * @param patience epochs without a better validation metric after which training stops; 0 = never
 * @param seed of every random draw
 */
public record TrainingOptions(
    int epochs,
    int batchSize,
    int accumulate,
    long tableMemory,
    float learningRate,
    float userLearningRate,
    float itemLearningRate,
    RowOptimizer.Kind rowOptimizer,
    float l2,
    float weightDecay,
    double clipNorm,
    Schedule schedule,
    int patience,
    long seed) {

  public TrainingOptions {
    check(epochs > 0, "epochs must be > 0 but was " + epochs);
    check(batchSize > 0, "batchSize must be > 0 but was " + batchSize);
    check(accumulate > 0, "accumulate must be > 0 but was " + accumulate);
    check(
        (long) batchSize * accumulate <= Integer.MAX_VALUE,
        "batchSize * accumulate must be < 2^31 but was %d * %d".formatted(batchSize, accumulate));
    check(tableMemory >= 0, "tableMemory must be >= 0 but was " + tableMemory);
    checkRate("learningRate", learningRate);
    checkRate("userLearningRate", userLearningRate);
    checkRate("itemLearningRate", itemLearningRate);
    check(l2 >= 0 && Float.isFinite(l2), "l2 must be >= 0 but was " + l2);
    check(
        weightDecay >= 0 && Float.isFinite(weightDecay),
        "weightDecay must be >= 0 but was " + weightDecay);
    check(clipNorm > 0, "clipNorm must be > 0 but was " + clipNorm);
    check(patience >= 0, "patience must be >= 0 but was " + patience);
  }

  /** How many examples a step learns from. */
  public int examplesPerStep() {
    return batchSize * accumulate;
  }

  /** The defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** The same with another seed. */
  public TrainingOptions withSeed(long newSeed) {
    return new TrainingOptions(
        epochs,
        batchSize,
        accumulate,
        tableMemory,
        learningRate,
        userLearningRate,
        itemLearningRate,
        rowOptimizer,
        l2,
        weightDecay,
        clipNorm,
        schedule,
        patience,
        newSeed);
  }

  /** The same with so many epochs, all of them made. */
  public TrainingOptions withEpochs(int number) {
    return new TrainingOptions(
        number,
        batchSize,
        accumulate,
        tableMemory,
        learningRate,
        userLearningRate,
        itemLearningRate,
        rowOptimizer,
        l2,
        weightDecay,
        clipNorm,
        schedule,
        0,
        seed);
  }

  /** The same with other step sizes. */
  public TrainingOptions withRates(float dense, float user, float item) {
    return new TrainingOptions(
        epochs,
        batchSize,
        accumulate,
        tableMemory,
        dense,
        user,
        item,
        rowOptimizer,
        l2,
        weightDecay,
        clipNorm,
        schedule,
        patience,
        seed);
  }

  private static void checkRate(String name, float rate) {
    check(rate >= 0 && Float.isFinite(rate), name + " must be finite and >= 0 but was " + rate);
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private int epochs = 20;
    private int batchSize = 4096;
    private int accumulate = 1;
    private long tableMemory;
    private float learningRate = 1e-3f;
    private float userLearningRate = 0.1f;
    private float itemLearningRate = 0.1f;
    private RowOptimizer.Kind rowOptimizer = RowOptimizer.Kind.ADAGRAD;
    private float l2;
    private float weightDecay;
    private double clipNorm = Double.POSITIVE_INFINITY;
    private Schedule schedule = Schedule.CONSTANT;
    private int patience = 3;
    private long seed = 1;

    private Builder() {}

    public Builder epochs(int epochs) {
      this.epochs = epochs;
      return this;
    }

    public Builder batchSize(int batchSize) {
      this.batchSize = batchSize;
      return this;
    }

    public Builder accumulate(int accumulate) {
      this.accumulate = accumulate;
      return this;
    }

    public Builder tableMemory(long tableMemory) {
      this.tableMemory = tableMemory;
      return this;
    }

    public Builder learningRate(float learningRate) {
      this.learningRate = learningRate;
      return this;
    }

    public Builder userLearningRate(float userLearningRate) {
      this.userLearningRate = userLearningRate;
      return this;
    }

    public Builder itemLearningRate(float itemLearningRate) {
      this.itemLearningRate = itemLearningRate;
      return this;
    }

    public Builder rowOptimizer(RowOptimizer.Kind rowOptimizer) {
      this.rowOptimizer = rowOptimizer;
      return this;
    }

    public Builder l2(float l2) {
      this.l2 = l2;
      return this;
    }

    public Builder weightDecay(float weightDecay) {
      this.weightDecay = weightDecay;
      return this;
    }

    public Builder clipNorm(double clipNorm) {
      this.clipNorm = clipNorm;
      return this;
    }

    public Builder schedule(Schedule schedule) {
      this.schedule = schedule;
      return this;
    }

    public Builder patience(int patience) {
      this.patience = patience;
      return this;
    }

    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidInputException if one is out of its range
     */
    public TrainingOptions build() {
      return new TrainingOptions(
          epochs,
          batchSize,
          accumulate,
          tableMemory,
          learningRate,
          userLearningRate,
          itemLearningRate,
          rowOptimizer,
          l2,
          weightDecay,
          clipNorm,
          schedule,
          patience,
          seed);
    }
  }
}
