package io.sextant.meta;

import org.jspecify.annotations.Nullable;

/**
 * How both stages have scored B users: the way to an order, kept for an explanation of it.
 *
 * @param weights (B * M) of stage 1
 * @param before (B * F) features of the users before candidates were known
 * @param evidence of the candidates
 * @param normalised (B * N * M) as stage 2 mixes them
 * @param data what the networks of stage 2 read; null if they take no part
 * @param scores (B * N) final
 */
record Rescoring(
    float[] weights,
    float[] before,
    Evidence evidence,
    float[] normalised,
    @Nullable MixData data,
    float[] scores) {}
