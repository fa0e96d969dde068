package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import io.sextant.retrieve.SparseRows;
import org.jspecify.annotations.Nullable;

/**
 * What the strategies of a pool say of B users, before anything is mixed: queries of the dense
 * parts, entries of the sparse parts, and mean and standard deviation of each strategy's scores
 * over the whole catalogue.
 *
 * <p>Thread safety: as tensors: one thread at a time.
 *
 * @param size B
 * @param queries (B, D) float32 in the request's scope; null if no strategy has a dense part
 * @param sparse for each strategy its sparse rows (B); null if it has no sparse part
 * @param means (B * M)
 * @param deviations (B * M); 0 where all scores of the user are equal
 */
record PoolScores(
    int size,
    @Nullable NDArray queries,
    @Nullable SparseRows[] sparse,
    float[] means,
    float[] deviations) {}
