package io.sextant.train;

import ai.djl.ndarray.NDArray;

/**
 * The gradient of the rows of a table that a batch reads, on the device. A row has as many
 * positions as it is read at, and the same numbers at each of them.
 *
 * @param index (P,) int64, the row of each position
 * @param gradient (P, D), changed by whoever regularises it
 * @param values (P, D) what the rows hold
 * @param counts (P, 1) how often the batch reads the row
 * @param once (P, 1) 1 at one position of each row, else 0
 */
record ResidentGradient(
    NDArray index, NDArray gradient, NDArray values, NDArray counts, NDArray once) {}
