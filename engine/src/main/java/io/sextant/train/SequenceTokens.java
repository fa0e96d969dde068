package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.Dropout;
import io.sextant.nn.SequenceInput;

/**
 * What the losses of a batch of sequences are computed from: B of them, packed into N tokens, whose
 * items are numbers within the rows that the batch gathered.
 *
 * @param input what the encoder reads
 * @param dropout what it drops
 * @param targets (N,) int64, the item after each token; any for padding
 * @param columns how many rows, the first ones, all tokens are compared with
 * @param examples (N,) int64, the sequence of each token; any for padding
 * @param corrections (B, columns), what is added to the scores of a sequence's tokens: minus the
 *     logarithm of the sampling probability, or negative infinity for what must not count
 * @param tokens (B, S) int64, the tokens of each sequence; any behind its end
 */
record SequenceTokens(
    SequenceInput input,
    Dropout dropout,
    NDArray targets,
    int columns,
    NDArray examples,
    NDArray corrections,
    NDArray tokens) {}
