package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import java.util.List;

/**
 * K users or items as an encoder reads them.
 *
 * @param id (K,) int64, rows of the id table, within the rows that the batch gathered
 * @param keep (K, 1), 1 where the id embedding is used and 0 where it is dropped or there is none
 * @param entity (K,) int64, which user or item it is among all: where its numbers and vectors lie
 * @param codes for each column of codes (K, M) int64, rows of the column's table, as {@code id}
 * @param codeWeights for each column of codes (K, M)
 */
public record EntityInput(
    NDArray id, NDArray keep, NDArray entity, List<NDArray> codes, List<NDArray> codeWeights) {}
