package io.sextant.tensor;

/**
 * The K distinct rows of an embedding table that a batch reads, with the gradient of the loss with
 * respect to them, in Java's memory. The arrays may be longer than K asks for, so that the next
 * batch can use them again.
 *
 * <p>Thread safety: none; the arrays are shared with whoever made them.
 *
 * @param size K
 * @param dimension D
 * @param rows (K) distinct rows
 * @param counts (K) how often the batch reads each
 * @param values (K, D) what the rows hold
 * @param gradient (K, D)
 */
public record RowGradient(
    int size, int dimension, int[] rows, int[] counts, float[] values, float[] gradient) {}
