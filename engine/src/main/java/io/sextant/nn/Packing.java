package io.sextant.nn;

import java.util.Arrays;

/**
 * Where sequences of different lengths lie side by side in rows of one length, the longest
 * sequence's, so that hardly a token is padding.
 *
 * <pre>
 *   row 0:  a a a a a a a a
 *   row 1:  b b b b b c c c
 *   row 2:  d d d e e f .        . padding
 * </pre>
 *
 * <p>Best fit, longest first: O(B + T) time for B sequences in rows of length T.
 *
 * <p>Thread safety: immutable as long as nobody writes into the array.
 *
 * @param rows how many rows there are
 * @param length T
 * @param starts (B) the number of each sequence's first token; the others follow
 */
@SuppressWarnings("ArrayRecordComponent") // A packing is lent, not compared.
public record Packing(int rows, int length, int[] starts) {

  /**
   * Packs sequences.
   *
   * @param lengths (B) of at least 1 each; there is at least one
   */
  public static Packing of(int[] lengths) {
    int length = 0;
    for (int size : lengths) {
      if (size == 0) {
        throw new IllegalArgumentException("an empty sequence has no token to pack");
      }
      length = Math.max(length, size);
    }
    if (length == 0) {
      throw new IllegalArgumentException("there is no sequence to pack");
    }
    // Rows by the room that is left in them are stacks, linked through "below".
    int[] top = new int[length + 1];
    Arrays.fill(top, -1);
    int[] below = new int[lengths.length];
    int[] starts = new int[lengths.length];
    int used = 0;
    for (int sequence : longestFirst(lengths, length)) {
      int size = lengths[sequence];
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
    return new Packing(used, length, starts);
  }

  private static int[] longestFirst(int[] lengths, int longest) {
    int[] firstOfSize = new int[longest + 2];
    for (int size : lengths) {
      firstOfSize[longest - size + 1]++;
    }
    for (int i = 1; i < firstOfSize.length; i++) {
      firstOfSize[i] += firstOfSize[i - 1];
    }
    int[] order = new int[lengths.length];
    for (int s = 0; s < lengths.length; s++) {
      order[firstOfSize[longest - lengths[s]]++] = s;
    }
    return order;
  }

  /** N, how many tokens there are, padding included. */
  public int numTokens() {
    return rows * length;
  }
}
