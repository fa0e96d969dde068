package io.sextant.train;

import io.sextant.InvalidInputException;

/**
 * How a policy learns step sizes and weights of objectives: see {@link StepPolicy}.
 *
 * @param rates whether it sets the step sizes
 * @param objectives whether it sets the weights of event types
 * @param hidden width of the policy's two first layers
 * @param policyRate step size of the policy's own optimizer (Adam)
 * @param maxLearningRate alpha_max of dense weights; the training's own rate must lie below
 * @param maxUserLearningRate alpha_max of user rows
 * @param maxItemLearningRate alpha_max of item rows
 * @param windows how many steps the policy makes in an epoch: each judges the rates by what they
 *     have done since the last; the fewer, the less the rates are drawn towards small ones that are
 *     best for a moment
 * @param metaBatchSize trusted examples that judge
 * @param seed of the policy's start and of the draws
 */
public record StepPolicyOptions(
    boolean rates,
    boolean objectives,
    int hidden,
    float policyRate,
    float maxLearningRate,
    float maxUserLearningRate,
    float maxItemLearningRate,
    int windows,
    int metaBatchSize,
    long seed) {

  public StepPolicyOptions {
    check(rates || objectives, "a step policy must set rates, objectives or both but sets neither");
    check(hidden > 0, "hidden must be > 0 but was " + hidden);
    checkPositive("policyRate", policyRate);
    checkPositive("maxLearningRate", maxLearningRate);
    checkPositive("maxUserLearningRate", maxUserLearningRate);
    checkPositive("maxItemLearningRate", maxItemLearningRate);
    check(windows > 0, "windows must be > 0 but was " + windows);
    check(metaBatchSize > 0, "metaBatchSize must be > 0 but was " + metaBatchSize);
  }

  /** The defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** The same with a policy's rate so many times smaller. */
  public StepPolicyOptions slower(float times) {
    return new StepPolicyOptions(
        rates,
        objectives,
        hidden,
        policyRate / times,
        maxLearningRate,
        maxUserLearningRate,
        maxItemLearningRate,
        windows,
        metaBatchSize,
        seed);
  }

  private static void checkPositive(String name, float value) {
    check(value > 0 && Float.isFinite(value), name + " must be finite and > 0 but was " + value);
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private boolean rates = true;
    private boolean objectives = true;
    private int hidden = 8;
    private float policyRate = 0.1f;
    private float maxLearningRate = 0.1f;
    private float maxUserLearningRate = 10;
    private float maxItemLearningRate = 10;
    private int windows = 1;
    private int metaBatchSize = 4096;
    private long seed = 1;

    private Builder() {}

    public Builder rates(boolean rates) {
      this.rates = rates;
      return this;
    }

    public Builder objectives(boolean objectives) {
      this.objectives = objectives;
      return this;
    }

    public Builder hidden(int hidden) {
      this.hidden = hidden;
      return this;
    }

    public Builder policyRate(float policyRate) {
      this.policyRate = policyRate;
      return this;
    }

    public Builder maxLearningRate(float maxLearningRate) {
      this.maxLearningRate = maxLearningRate;
      return this;
    }

    public Builder maxUserLearningRate(float maxUserLearningRate) {
      this.maxUserLearningRate = maxUserLearningRate;
      return this;
    }

    public Builder maxItemLearningRate(float maxItemLearningRate) {
      this.maxItemLearningRate = maxItemLearningRate;
      return this;
    }

    public Builder windows(int windows) {
      this.windows = windows;
      return this;
    }

    public Builder metaBatchSize(int metaBatchSize) {
      this.metaBatchSize = metaBatchSize;
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
    public StepPolicyOptions build() {
      return new StepPolicyOptions(
          rates,
          objectives,
          hidden,
          policyRate,
          maxLearningRate,
          maxUserLearningRate,
          maxItemLearningRate,
          windows,
          metaBatchSize,
          seed);
    }
  }
}
