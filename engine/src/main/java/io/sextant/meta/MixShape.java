package io.sextant.meta;

/**
 * The shape of a {@link MixModel}.
 *
 * @param userWidth F_u
 * @param itemWidth F_i; 1 if the model does not depend on the item
 * @param hidden width of the network's first layers
 * @param itemAware whether weights depend on the item
 * @param kappa bound of the tilt: weights stay within exp(kappa) of the baseline
 * @param beta bound of the additive term
 */
record MixShape(
    int userWidth, int itemWidth, int hidden, boolean itemAware, float kappa, float beta) {

  /** Of the network of stage 1. */
  static MixShape ofGate(PolicyFeatures features, MetaOptions options) {
    return new MixShape(
        features.userNames().size(), 1, options.hidden(), false, options.kappa(), 0);
  }

  /** Of the networks of stage 2. */
  static MixShape ofPolicy(PolicyFeatures features, MetaOptions options) {
    return new MixShape(
        features.userNamesWithCandidates().size(),
        features.itemNames().size(),
        options.hidden(),
        true,
        options.kappa(),
        options.beta());
  }

  /** What the network's second input takes: with the user's features only there can both meet. */
  int secondInput() {
    return itemAware ? itemWidth + userWidth : itemWidth;
  }
}
