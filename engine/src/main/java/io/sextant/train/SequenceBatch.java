package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.Dropout;
import io.sextant.nn.SequenceInput;
import io.sextant.tensor.RowSet;
import java.util.Map;

/**
 * A batch of sequences: B of them, packed into N tokens, with K distinct items.
 *
 * @param size B
 * @param weights (B)
 * @param rows the distinct items
 * @param input what the encoder reads
 * @param dropout what it drops
 * @param targets (N,) int64, the item after each token, as a number within the distinct items; any
 *     for padding
 * @param columns how many distinct items, the first ones, all tokens are compared with
 * @param examples (N,) int64, the sequence of each token; any for padding
 * @param corrections (B, columns), what is added to the scores of a sequence's tokens: minus the
 *     logarithm of the sampling probability, or negative infinity for items that the user has
 * @param tokens (B, S) int64, the tokens of each sequence; any where the weight is 0
 * @param tokenWeights (B, S), what each token counts
 */
record SequenceBatch(
    int size,
    float[] weights,
    Map<String, RowSet> rows,
    SequenceInput input,
    Dropout dropout,
    NDArray targets,
    int columns,
    NDArray examples,
    NDArray corrections,
    NDArray tokens,
    NDArray tokenWeights)
    implements Batch {}
