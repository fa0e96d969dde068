package io.sextant.train;

import io.sextant.InvalidInputException;

/**
 * How weights of examples are learned.
 *
 * @param hidden width of the policy's two first layers
 * @param learningRate step size of the policy (Adam)
 * @param weightDecay decoupled decay of the policy's weights
 * @param lookAhead how far the model looks ahead, in steps that training would make next
 * @param metaBatchSize trusted examples that judge a batch, but no more than the batch has
 * @param warmUpEpochs epochs without weights, in which the model comes to know anything
 * @param every the policy learns at every so many batches
 * @param patience epochs without a better gain on the guard after which the policy stays as it was
 *     at its best; 0 = it always goes on
 * @param collapse the mean weight, of at most 2, below which weights count as collapsed
 * @param seed of the policy's start and of the draws
 */
public record WeightingOptions(
    int hidden,
    float learningRate,
    float weightDecay,
    float lookAhead,
    int metaBatchSize,
    int warmUpEpochs,
    int every,
    int patience,
    float collapse,
    long seed) {

  public WeightingOptions {
    check(hidden > 0, "hidden must be > 0 but was " + hidden);
    check(
        learningRate > 0 && Float.isFinite(learningRate),
        "learningRate must be finite and > 0 but was " + learningRate);
    check(
        weightDecay >= 0 && Float.isFinite(weightDecay),
        "weightDecay must be finite and >= 0 but was " + weightDecay);
    check(
        lookAhead > 0 && Float.isFinite(lookAhead),
        "lookAhead must be finite and > 0 but was " + lookAhead);
    check(metaBatchSize > 0, "metaBatchSize must be > 0 but was " + metaBatchSize);
    check(warmUpEpochs >= 0, "warmUpEpochs must be >= 0 but was " + warmUpEpochs);
    check(every > 0, "every must be > 0 but was " + every);
    check(patience >= 0, "patience must be >= 0 but was " + patience);
    check(collapse >= 0 && collapse < 1, "collapse must be in [0, 1) but was " + collapse);
  }

  /** The defaults. */
  public static Builder builder() {
    return new Builder();
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private int hidden = 16;
    private float learningRate = 0.01f;
    private float weightDecay = 1e-4f;
    private float lookAhead = 1;
    private int metaBatchSize = 4096;
    private int warmUpEpochs = 1;
    private int every = 4;
    private int patience = 2;
    private float collapse = 0.02f;
    private long seed = 1;

    private Builder() {}

    public Builder hidden(int hidden) {
      this.hidden = hidden;
      return this;
    }

    public Builder learningRate(float learningRate) {
      this.learningRate = learningRate;
      return this;
    }

    public Builder weightDecay(float weightDecay) {
      this.weightDecay = weightDecay;
      return this;
    }

    public Builder lookAhead(float lookAhead) {
      this.lookAhead = lookAhead;
      return this;
    }

    public Builder metaBatchSize(int metaBatchSize) {
      this.metaBatchSize = metaBatchSize;
      return this;
    }

    public Builder warmUpEpochs(int warmUpEpochs) {
      this.warmUpEpochs = warmUpEpochs;
      return this;
    }

    public Builder every(int every) {
      this.every = every;
      return this;
    }

    public Builder patience(int patience) {
      this.patience = patience;
      return this;
    }

    public Builder collapse(float collapse) {
      this.collapse = collapse;
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
    public WeightingOptions build() {
      return new WeightingOptions(
          hidden,
          learningRate,
          weightDecay,
          lookAhead,
          metaBatchSize,
          warmUpEpochs,
          every,
          patience,
          collapse,
          seed);
    }
  }
}
