package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.sextant.nn.Dropout;
import io.sextant.nn.SequenceInput;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowSet;
import java.util.Arrays;
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
 * @param lengths (B) how many tokens each sequence has, P in all
 * @param rowWeights (P) what each token counts, sequence after sequence
 * @param tokens (B, S) int64, the tokens of each sequence; any behind its end
 * @param tokenWeights (B, S) the same weights; 0 behind the end
 */
@SuppressWarnings("ArrayRecordComponent") // A batch is lent, not compared.
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
    int[] lengths,
    float[] rowWeights,
    NDArray tokens,
    NDArray tokenWeights)
    implements Batch {

  /** What the losses of its tokens are computed from. */
  SequenceTokens read() {
    return new SequenceTokens(input, dropout, targets, columns, examples, corrections, tokens);
  }

  /** The same with each token's weight times a factor (P). */
  SequenceBatch weighed(NDManager manager, float[] factors) {
    float[] products = new float[rowWeights.length];
    for (int p = 0; p < products.length; p++) {
      products[p] = rowWeights[p] * factors[p];
    }
    return new SequenceBatch(
        size,
        weights,
        rows,
        input,
        dropout,
        targets,
        columns,
        examples,
        corrections,
        lengths,
        products,
        tokens,
        laidOut(manager, lengths, products));
  }

  /** Numbers of tokens (P) as (B, S), 0 behind the end of a sequence. */
  static NDArray laidOut(NDManager manager, int[] lengths, float[] values) {
    int longest = Math.max(1, Arrays.stream(lengths).max().orElse(1));
    float[] cells = new float[lengths.length * longest];
    int at = 0;
    for (int e = 0; e < lengths.length; e++) {
      System.arraycopy(values, at, cells, e * longest, lengths[e]);
      at += lengths[e];
    }
    return HostArrays.floats(manager, cells, lengths.length, longest);
  }

  /** The way back: cells (B, S) as numbers of tokens (P). */
  float[] ofTokens(float[] cells) {
    float[] values = new float[rowWeights.length];
    int longest = cells.length / size;
    int at = 0;
    for (int e = 0; e < size; e++) {
      System.arraycopy(cells, e * longest, values, at, lengths[e]);
      at += lengths[e];
    }
    return values;
  }
}
