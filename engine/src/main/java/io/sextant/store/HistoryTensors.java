package io.sextant.store;

import io.sextant.InvalidInputException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/** Histories on their way into a bundle: 4 bytes a user in the heap, and one history at a time. */
final class HistoryTensors {

  private final IntFunction<int[]> historyOf;
  private final int[] offsets;

  /**
   * Asks for every history once, for its length and to check its items.
   *
   * @throws InvalidInputException if an item is not one of the catalogue or there are too many
   */
  HistoryTensors(IntFunction<int[]> historyOf, long numUsers, long numItems) {
    this.historyOf = historyOf;
    offsets = new int[Math.toIntExact(numUsers) + 1];
    for (int user = 0; user < numUsers; user++) {
      int[] history = historyOf.apply(user);
      for (int item : history) {
        if (item < 0 || item >= numItems) {
          throw new InvalidInputException(
              "the history of user %d holds item %d, but items are 0 to %d"
                  .formatted(user, item, numItems - 1));
        }
      }
      long end = (long) offsets[user] + history.length;
      if (end > Integer.MAX_VALUE) {
        throw new InvalidInputException(
            "the histories have more than 2^31 - 1 entries together (after %d users):"
                    .formatted(user)
                + " give shorter ones, or write the bundle without");
      }
      offsets[user + 1] = (int) end;
    }
  }

  List<TensorSource> tensors() {
    return List.of(TensorSource.of(StoredHistories.OFFSETS, offsets, offsets.length), new Items());
  }

  private final class Items implements TensorSource {

    private final TensorSpec spec =
        TensorSpec.of(StoredHistories.ITEMS, TensorType.I32, offsets[offsets.length - 1]);

    @Override
    public TensorSpec spec() {
      return spec;
    }

    @Override
    public void readRows(long firstRow, int rows, ByteBuffer into) {
      int bytes = spec.bytesOfRows(firstRow, rows);
      if (into.remaining() < bytes) {
        throw new BufferOverflowException();
      }
      ByteBuffer out = into.slice(into.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
      int row = (int) firstRow;
      for (int user = userAt(row); out.hasRemaining(); user++) {
        int[] history = historyOf.apply(user);
        if (history.length != offsets[user + 1] - offsets[user]) {
          throw new IllegalStateException("the history of user " + user + " has changed meanwhile");
        }
        int from = row - offsets[user];
        int count = Math.min(history.length - from, out.remaining() / Integer.BYTES);
        out.asIntBuffer().put(history, from, count);
        out.position(out.position() + count * Integer.BYTES);
        row += count;
      }
      into.position(into.position() + bytes);
    }

    /** The user whose history holds a row; of users without a history none. */
    private int userAt(int row) {
      int at = Arrays.binarySearch(offsets, row);
      if (at < 0) {
        return -at - 2;
      }
      while (at + 1 < offsets.length && offsets[at + 1] == row) {
        at++;
      }
      return at;
    }
  }
}
