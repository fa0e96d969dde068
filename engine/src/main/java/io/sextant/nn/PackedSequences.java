package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.HostArrays;
import java.util.Arrays;

/**
 * Sequences of different lengths side by side in rows of one length ({@link Packing}). A mask keeps
 * each token from seeing other sequences and its own future; padding sees only itself.
 *
 * <p>Thread safety: immutable.
 */
public final class PackedSequences {

  private final int[][] sequences;
  private final Packing packing;
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
    packing = Packing.of(Arrays.stream(sequences).mapToInt(sequence -> sequence.length).toArray());
    rows = packing.rows();
    length = packing.length();
    starts = packing.starts();
  }

  /** N, how many tokens there are, padding included. */
  public int numTokens() {
    return packing.numTokens();
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
