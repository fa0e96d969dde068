package io.sextant.train;

import io.sextant.InvalidInputException;

/**
 * What the next item of a sequence is compared with. All positions of a batch share their
 * negatives; an item that the user has, whenever, is no negative of that user.
 *
 * @param negatives items that a batch draws
 * @param popularityPower they are drawn with probability proportional to count^power; 0 = uniform
 * @param inBatch of so many positions of the batch, at most, the next items serve as negatives of
 *     the other users too; 0 = none
 * @param logQ whether scores of negatives are corrected by the logarithm of the probability with
 *     which the item is among the negatives, so that the loss estimates a softmax over the
 *     catalogue
 */
public record SequenceSampling(int negatives, float popularityPower, int inBatch, boolean logQ) {

  public SequenceSampling {
    check(negatives >= 0, "negatives must be >= 0 but was " + negatives);
    check(inBatch >= 0, "inBatch must be >= 0 but was " + inBatch);
    check(negatives + inBatch > 0, "negatives or inBatch must be > 0: there is nothing to compare");
    check(
        popularityPower >= 0 && popularityPower <= 2,
        "popularityPower must be in [0, 2] but was " + popularityPower);
  }

  /** The defaults: 512 uniform negatives beside those of the batch, corrected. */
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
    private int negatives = 512;
    private float popularityPower;
    private int inBatch = 1024;
    private boolean logQ = true;

    private Builder() {}

    public Builder negatives(int negatives) {
      this.negatives = negatives;
      return this;
    }

    public Builder popularityPower(float popularityPower) {
      this.popularityPower = popularityPower;
      return this;
    }

    public Builder inBatch(int inBatch) {
      this.inBatch = inBatch;
      return this;
    }

    public Builder logQ(boolean logQ) {
      this.logQ = logQ;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidInputException if one is out of its range
     */
    public SequenceSampling build() {
      return new SequenceSampling(negatives, popularityPower, inBatch, logQ);
    }
  }
}
