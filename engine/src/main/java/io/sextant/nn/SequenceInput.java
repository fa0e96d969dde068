package io.sextant.nn;

import ai.djl.ndarray.NDArray;

/**
 * Sequences as a sequence encoder reads them: packed into R rows of length T, so that N = R T
 * tokens; see {@link PackedSequences}.
 *
 * @param rows R
 * @param length T
 * @param items (N,) int64, rows of the item table, within the rows that the batch gathered
 * @param positions (N,) int64, how many items of its sequence come after the token
 * @param mask (R, 1, T, T), 0 where the token of the third axis may see that of the fourth, else
 *     negative infinity
 * @param distances (T, T) int64, how far the token of the second axis lies before that of the first
 */
public record SequenceInput(
    int rows, int length, NDArray items, NDArray positions, NDArray mask, NDArray distances) {}
