package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.HostArrays;
import java.util.Arrays;

/**
 * Sequences of different lengths side by side in rows of one length, the longest sequence's, so
 * that hardly a token is padding. A mask keeps each token from seeing other sequences and its own
 * future.
 *
 * <pre>
 *   row 0:  a a a a a a a a
 *   row 1:  b b b b b c c c
 *   row 2:  d d d e e f .        . padding, which sees only itself
 * </pre>
 *
 * <p>Best fit, longest first: O(B T + N T) time for B sequences and N tokens.
 *
 * <p>Thread safety: immutable.
 */
public final class PackedSequences {

  private final int[][] sequences;
  private final int[] starts;
  private final int rows;
  private final int length;

  /**
   * Packs sequences.
   *
   * @param sequences items, oldest first; none is empty, and there is at least one
   */
  public PackedSequences(int[][] sequences) {
    this.sequences = sequences;
    int longest = 0;
    for (int[] sequence : sequences) {
      if (sequence.length == 0) {
        throw new IllegalArgumentException("an empty sequence has no token to pack");
      }
      longest = Math.max(longest, sequence.length);
    }
    if (longest == 0) {
      throw new IllegalArgumentException("there is no sequence to pack");
    }
    length = longest;
    starts = new int[sequences.length];
    rows = pack();
  }

  /** Rows by the room that is left in them are stacks, linked through {@code below}. */
  private int pack() {
    int[] top = new int[length + 1];
    Arrays.fill(top, -1);
    int[] below = new int[sequences.length];
    int used = 0;
    for (int sequence : longestFirst()) {
      int size = sequences[sequence].length;
      int room = size;
      while (room < length && top[room] < 0) {
        room++;
      }
      int row = top[room];
      if (row < 0) {
        row = used++;
        room = length;
      } else {
        top[room] = below[row];
      }
      starts[sequence] = row * length + length - room;
      below[row] = top[room - size];
      top[room - size] = row;
    }
    return used;
  }

  private int[] longestFirst() {
    int[] firstOfSize = new int[length + 2];
    for (int[] sequence : sequences) {
      firstOfSize[length - sequence.length + 1]++;
    }
    for (int i = 1; i < firstOfSize.length; i++) {
      firstOfSize[i] += firstOfSize[i - 1];
    }
    int[] order = new int[sequences.length];
    for (int s = 0; s < sequences.length; s++) {
      order[firstOfSize[length - sequences[s].length]++] = s;
    }
    return order;
  }

  /** N, how many tokens there are, padding included. */
  public int numTokens() {
    return rows * length;
  }

  /** The number of a sequence's first token; the others follow. */
  public int start(int sequence) {
    return starts[sequence];
  }

  /** The number of each sequence's last token (B). */
  public int[] lastTokens() {
    int[] last = new int[starts.length];
    for (int s = 0; s < last.length; s++) {
      last[s] = starts[s] + sequences[s].length - 1;
    }
    return last;
  }

  /** The inputs of an encoder whose item table is whole. */
  public SequenceInput input(NDManager manager) {
    int[] items = new int[numTokens()];
    for (int s = 0; s < starts.length; s++) {
      System.arraycopy(sequences[s], 0, items, starts[s], sequences[s].length);
    }
    return input(manager, items);
  }

  /**
   * The inputs of an encoder.
   *
   * @param items (N) the row of the item table that each token reads; any for padding
   */
  public SequenceInput input(NDManager manager, int[] items) {
    int[] positions = new int[numTokens()];
    int[] visibleFrom = new int[numTokens()];
    Arrays.setAll(visibleFrom, i -> i);
    for (int s = 0; s < starts.length; s++) {
      int size = sequences[s].length;
      for (int i = 0; i < size; i++) {
        positions[starts[s] + i] = size - 1 - i;
        visibleFrom[starts[s] + i] = starts[s];
      }
    }
    int[] distances = new int[length * length];
    for (int to = 0; to < length; to++) {
      for (int from = 0; from < to; from++) {
        distances[to * length + from] = to - from;
      }
    }
    return new SequenceInput(
        rows,
        length,
        HostArrays.longs(manager, items, items.length),
        HostArrays.longs(manager, positions, positions.length),
        mask(manager, visibleFrom),
        HostArrays.longs(manager, distances, length, length));
  }

  private NDArray mask(NDManager manager, int[] visibleFrom) {
    float[] line = new float[length];
    return HostArrays.create(
        manager,
        new Shape(rows, 1, length, length),
        DataType.FLOAT32,
        memory -> {
          var floats = memory.asFloatBuffer();
          for (int token = 0; token < visibleFrom.length; token++) {
            int rowStart = token - token % length;
            Arrays.fill(line, Float.NEGATIVE_INFINITY);
            Arrays.fill(line, visibleFrom[token] - rowStart, token - rowStart + 1, 0);
            floats.put(line);
          }
        });
  }
}
