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
    int userWidth, int itemWidth, int hidden, boolean itemAware, float kappa, float beta) {}
