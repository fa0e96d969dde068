package io.sextant.train;

import io.sextant.InvalidInputException;

/**
 * What a two-tower model is asked to tell apart, and what it is shown for that.
 *
 * @param objective the loss
 * @param negatives sampled items per example (BCE, BPR) or per batch (sampled softmax)
 * @param popularityPower negatives are drawn with probability proportional to count^power; 0 =
 *     uniform
 * @param inBatch whether the positives of the batch serve as each other's negatives (softmax)
 * @param logQ whether scores of negatives are corrected by the logarithm of how often they are
 *     expected among the negatives, so that a sampled softmax estimates the full one
 * @param excludeSeen whether items of the user's own history are never negatives
 * @param idDropout probability that a user's id embedding is left out of an example, so that users
 *     without one are served well
 * @param itemIdDropout the same for items
 * @param history which part of the user's other interactions an example sees as history
 * @param recencyHalfLifeDays examples lose half their weight in so many days before the latest one,
 *     so that the model fits the present; infinite for none
 */
public record SamplingOptions(
    Objective objective,
    int negatives,
    float popularityPower,
    boolean inBatch,
    boolean logQ,
    boolean excludeSeen,
    float idDropout,
    float itemIdDropout,
    HistoryView history,
    double recencyHalfLifeDays) {

  /** Which part of the user's other interactions an example sees as history. */
  public enum HistoryView {
    /** What came before: as in service. */
    PAST,
    /** Everything but the example itself: for data without an order. */
    OTHERS
  }

  public SamplingOptions {
    check(negatives > 0, "negatives must be > 0 but was " + negatives);
    check(
        popularityPower >= 0 && popularityPower <= 2,
        "popularityPower must be in [0, 2] but was " + popularityPower);
    check(idDropout >= 0 && idDropout <= 1, "idDropout must be in [0, 1] but was " + idDropout);
    check(
        itemIdDropout >= 0 && itemIdDropout <= 1,
        "itemIdDropout must be in [0, 1] but was " + itemIdDropout);
    check(
        recencyHalfLifeDays > 0, "recencyHalfLifeDays must be > 0 but was " + recencyHalfLifeDays);
  }

  /** The defaults: sampled softmax over 1,024 uniform negatives. */
  public static Builder builder() {
    return new Builder();
  }

  /** The same with examples that do not lose weight with age. */
  SamplingOptions withoutRecency() {
    return new SamplingOptions(
        objective,
        negatives,
        popularityPower,
        inBatch,
        logQ,
        excludeSeen,
        idDropout,
        itemIdDropout,
        history,
        Double.POSITIVE_INFINITY);
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private Objective objective = Objective.SAMPLED_SOFTMAX;
    private int negatives = 1024;
    private float popularityPower;
    private boolean inBatch;
    private boolean logQ = true;
    private boolean excludeSeen = true;
    private float idDropout;
    private float itemIdDropout;
    private HistoryView history = HistoryView.PAST;
    private double recencyHalfLifeDays = Double.POSITIVE_INFINITY;

    private Builder() {}

    public Builder objective(Objective objective) {
      this.objective = objective;
      return this;
    }

    public Builder negatives(int negatives) {
      this.negatives = negatives;
      return this;
    }

    public Builder popularityPower(float popularityPower) {
      this.popularityPower = popularityPower;
      return this;
    }

    public Builder inBatch(boolean inBatch) {
      this.inBatch = inBatch;
      return this;
    }

    public Builder logQ(boolean logQ) {
      this.logQ = logQ;
      return this;
    }

    public Builder excludeSeen(boolean excludeSeen) {
      this.excludeSeen = excludeSeen;
      return this;
    }

    public Builder idDropout(float idDropout) {
      this.idDropout = idDropout;
      return this;
    }

    public Builder itemIdDropout(float itemIdDropout) {
      this.itemIdDropout = itemIdDropout;
      return this;
    }

    public Builder history(HistoryView history) {
      this.history = history;
      return this;
    }

    public Builder recencyHalfLifeDays(double recencyHalfLifeDays) {
      this.recencyHalfLifeDays = recencyHalfLifeDays;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidInputException if one is out of its range
     */
    public SamplingOptions build() {
      return new SamplingOptions(
          objective,
          negatives,
          popularityPower,
          inBatch,
          logQ,
          excludeSeen,
          idDropout,
          itemIdDropout,
          history,
          recencyHalfLifeDays);
    }
  }
}
