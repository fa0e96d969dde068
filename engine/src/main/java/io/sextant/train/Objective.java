package io.sextant.train;

/** The losses of a two-tower model. Each gives one number per example. */
public enum Objective {
  /** Binary cross-entropy of the positive and of its sampled negatives; mean over the pairs. */
  BCE(true, false),
  /** (value - score)^2 / 2 of the interaction's value; no negatives. */
  SQUARED_ERROR(false, false),
  /** Bayesian personalised ranking: softplus(negative - positive); Rendle et al., UAI 2009. */
  BPR(true, false),
  /**
   * Softmax over the positive and negatives that the batch shares, corrected by the logarithm of
   * their sampling probability; Bengio and Senecal, IEEE TNN 2008; Yi et al., RecSys 2019.
   */
  SAMPLED_SOFTMAX(false, true),
  /** Softmax over the catalogue. */
  FULL_SOFTMAX(false, true);

  private final boolean ownNegatives;
  private final boolean sharedNegatives;

  Objective(boolean ownNegatives, boolean sharedNegatives) {
    this.ownNegatives = ownNegatives;
    this.sharedNegatives = sharedNegatives;
  }

  /** Whether each example has negatives of its own. */
  boolean ownNegatives() {
    return ownNegatives;
  }

  /** Whether all examples of a batch are compared with the same items. */
  boolean sharedNegatives() {
    return sharedNegatives;
  }
}
