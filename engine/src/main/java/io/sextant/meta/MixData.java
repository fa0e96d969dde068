package io.sextant.meta;

import org.jspecify.annotations.Nullable;

/**
 * What a {@link MixModel} reads, for U users with N candidates each.
 *
 * @param evidence of the candidates
 * @param normalised (U * N * M)
 * @param users (U * F_u) standardised features
 * @param items (U * N * F_i) standardised features of the candidates; null if the model does not
 *     depend on the item
 * @param confidence (U)
 */
record MixData(
    Evidence evidence,
    float[] normalised,
    float[] users,
    float @Nullable [] items,
    float[] confidence) {

  int size() {
    return evidence.numUsers();
  }
}
