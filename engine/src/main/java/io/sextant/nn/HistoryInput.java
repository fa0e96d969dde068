package io.sextant.nn;

import ai.djl.ndarray.NDArray;

/**
 * The histories of B users as the user encoder reads them.
 *
 * @param items (B, L) int64, rows of the history table, within the rows that the batch gathered;
 *     anything where the weight is 0
 * @param weights (B, L), already divided by the power of the history's length
 * @param last (B, 1) int64, the latest item, as a row of the last-item table; anything if there is
 *     none
 * @param hasLast (B, 1), 1 where there is a latest item, else 0
 */
public record HistoryInput(NDArray items, NDArray weights, NDArray last, NDArray hasLast) {}
