package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A part of an embedding table (R, D) and of its optimizer's accumulators on the device: S slots,
 * each of which holds one row; all others are in the host's memory. The rows of a batch are brought
 * into slots and stay there until others need the room. Then they are read and moved in their slots
 * by the same operations as a table that is on the device as a whole, so that results are the same.
 *
 * <p>Design. A hand goes round the slots for a place (the clock of Corbato, 1968, with counts): a
 * slot that the batch at hand reads is passed over, and one that was read again since it was filled
 * loses one of up to three lives. So rows that come often stay, and rows that come once go. What is
 * thrown out is written back, together and before the new rows are read: two copies to and fro for
 * each array, whatever the number of rows. Every row that was brought in counts as changed.
 *
 * <p>Memory: {@code S} rows with their accumulators on the device, all rows in the host's memory,
 * and 4 bytes a row in Java's. O(K) time for a batch of K rows beside the copies.
 *
 * <p>Thread safety: belongs to one thread.
 */
public final class RowCache {

  private static final int MOST_LIVES = 3;
  private static final int NONE = -1;

  private final Scope session;
  private final Scope host;
  private final RowOptimizer all;
  private final RowOptimizer ofSlots;
  private final NDArray slots;
  private final List<Twin> twins = new ArrayList<>();
  private final int[] slotOfRow;
  private final int[] rowOfSlot;
  private final long[] lastRead;
  private final byte[] lives;
  private final boolean[] changed;
  private int hand;
  private long time;
  private long reads;
  private long hits;
  private @Nullable RowSet latest;
  private @Nullable RowSet latestSlots;

  /** The same numbers in two places: (R, W) for all rows, and (S, W) for those in slots. */
  private record Twin(NDArray all, NDArray slots) {}

  /**
   * A cache without any row.
   *
   * @param session the lifetime of what is made, on the device of the slots
   * @param host the same or a longer lifetime, in the host's memory
   * @param table (R, D) in the host's memory, which must outlive the session
   * @param numSlots S
   */
  public RowCache(Scope session, Scope host, NDArray table, RowOptimizer.Kind kind, int numSlots) {
    this.session = session;
    this.host = host;
    int rows = Math.toIntExact(table.getShape().get(0));
    long width = table.getShape().get(1);
    slots = session.manager().zeros(new Shape(numSlots, width), DataType.FLOAT32);
    all = RowOptimizer.create(kind, host, rows, width);
    ofSlots = RowOptimizer.create(kind, session, numSlots, width);
    twins.add(new Twin(table, slots));
    all.state()
        .forEach(
            (name, array) -> {
              NDArray twin = ofSlots.state().get(name);
              if (twin == null) {
                throw new IllegalStateException("one kind of optimizer, two kinds of state");
              }
              twins.add(new Twin(matrix(array), matrix(twin)));
            });
    slotOfRow = new int[rows];
    rowOfSlot = new int[numSlots];
    lastRead = new long[numSlots];
    lives = new byte[numSlots];
    changed = new boolean[numSlots];
    forget();
  }

  /** The array itself, or a view of a vector as a matrix. */
  private static NDArray matrix(NDArray array) {
    return array.getShape().dimension() == 1 ? array.reshape(-1, 1) : array;
  }

  /** The slots (S, D), in which {@link #place} has put rows. */
  public NDArray slots() {
    return slots;
  }

  /** The optimizer that moves rows in their slots. */
  public RowOptimizer optimizer() {
    return ofSlots;
  }

  /** The accumulators of all rows by name, as {@link #writeBack} left them. */
  public Map<String, NDArray> state() {
    return all.state();
  }

  /**
   * Brings rows into slots. They stay at least until other rows are brought in.
   *
   * @param step owns the result
   * @param rows distinct rows of the table, at most as many as there are slots
   * @return their slots, in the same order and with the same counts
   * @throws InvalidInputException if there are more rows than slots
   */
  public RowSet place(NDManager step, RowSet rows) {
    if (rows == latest && latestSlots != null) {
      return latestSlots;
    }
    int[] wanted = rows.rows();
    if (wanted.length > rowOfSlot.length) {
      throw new InvalidInputException(
          "%d rows are needed at once but there is room for %d"
              .formatted(wanted.length, rowOfSlot.length));
    }
    time++;
    reads += wanted.length;
    int missing = 0;
    for (int row : wanted) {
      int slot = slotOfRow[row];
      if (slot == NONE) {
        missing++;
      } else {
        lastRead[slot] = time;
        lives[slot] = (byte) Math.min(MOST_LIVES, lives[slot] + 1);
        changed[slot] = true;
      }
    }
    hits += wanted.length - missing;
    if (missing > 0) {
      bringIn(wanted, missing);
    }
    int[] places = new int[wanted.length];
    Arrays.setAll(places, k -> slotOfRow[wanted[k]]);
    latest = rows;
    latestSlots = new RowSet(step, places, rows.counts());
    return latestSlots;
  }

  private void bringIn(int[] wanted, int missing) {
    int[] rows = new int[missing];
    int[] places = new int[missing];
    int[] goingRows = new int[missing];
    int[] goingPlaces = new int[missing];
    int going = 0;
    int at = 0;
    for (int row : wanted) {
      if (slotOfRow[row] != NONE) {
        continue;
      }
      int slot = room();
      int before = rowOfSlot[slot];
      if (before != NONE) {
        slotOfRow[before] = NONE;
        if (changed[slot]) {
          goingRows[going] = before;
          goingPlaces[going++] = slot;
        }
      }
      slotOfRow[row] = slot;
      rowOfSlot[slot] = row;
      lastRead[slot] = time;
      lives[slot] = 0;
      changed[slot] = true;
      rows[at] = row;
      places[at++] = slot;
    }
    copyOut(Arrays.copyOf(goingRows, going), Arrays.copyOf(goingPlaces, going));
    copyIn(rows, places);
  }

  /** A slot that is free, or whose row has to go. */
  private int room() {
    while (true) {
      int slot = hand;
      hand = (hand + 1) % rowOfSlot.length;
      if (lastRead[slot] == time) {
        continue;
      }
      if (lives[slot] == 0) {
        return slot;
      }
      lives[slot]--;
    }
  }

  private void copyOut(int[] rows, int[] places) {
    if (rows.length == 0) {
      return;
    }
    try (Scope here = session.child();
        Scope there = host.child()) {
      NDArray from = HostArrays.longs(here.manager(), places, places.length);
      NDArray to = HostArrays.longs(there.manager(), rows, rows.length);
      for (Twin twin : twins) {
        NDArray moving = RowOptimizer.gather(twin.slots, from);
        RowOptimizer.write(twin.all, to, there.adopt(moving.toDevice(there.device(), false)));
      }
    }
  }

  private void copyIn(int[] rows, int[] places) {
    try (Scope here = session.child();
        Scope there = host.child()) {
      NDArray from = HostArrays.longs(there.manager(), rows, rows.length);
      NDArray to = HostArrays.longs(here.manager(), places, places.length);
      for (Twin twin : twins) {
        NDArray moving = RowOptimizer.gather(twin.all, from);
        RowOptimizer.write(twin.slots, to, here.adopt(moving.toDevice(here.device(), false)));
      }
    }
  }

  /**
   * Writes what has changed back to the table and the accumulators; the rows stay in their slots.
   */
  public void writeBack() {
    int[] rows = new int[rowOfSlot.length];
    int[] places = new int[rowOfSlot.length];
    int count = 0;
    for (int slot = 0; slot < rowOfSlot.length; slot++) {
      if (rowOfSlot[slot] != NONE && changed[slot]) {
        rows[count] = rowOfSlot[slot];
        places[count++] = slot;
        changed[slot] = false;
      }
    }
    copyOut(Arrays.copyOf(rows, count), Arrays.copyOf(places, count));
    latest = null; // A row that is read again may be changed again.
  }

  /** Empties all slots without writing back: the table was given other values. */
  public void forget() {
    Arrays.fill(slotOfRow, NONE);
    Arrays.fill(rowOfSlot, NONE);
    Arrays.fill(lives, (byte) 0);
    Arrays.fill(changed, false);
    latest = null;
  }

  /** What the slots take on the device, in bytes. */
  public long bytes() {
    long bytes = 0;
    for (Twin twin : twins) {
      bytes += twin.slots.size() * Float.BYTES;
    }
    return bytes;
  }

  /** How many rows were asked for so far. */
  public long reads() {
    return reads;
  }

  /** How many of them were in a slot already. */
  public long hits() {
    return hits;
  }
}
