package io.sextant.retrieve;

import io.sextant.InvalidInputException;
import java.util.Optional;

/**
 * How a search is cut so that what it makes on a device fits into so many bytes.
 *
 * @param lists how many lists are searched at once
 * @param tileItems how many items are scored at once
 * @param entries how many positions, of excluded items or of sparse scores, are on the device at
 *     once
 * @param maskBytes how much of the masks, packed, is on the device at once, but for one tile's
 */
record DevicePlan(int lists, int tileItems, int entries, long maskBytes) {

  /** A tile with fewer items is not worth its operations. */
  private static final int LEAST_ITEMS = 64;

  /** A tile with fewer items than this is not worth a second query in it. */
  private static final int GOOD_ITEMS = 4096;

  private static final int MAX_LISTS = 1024;

  private static final int MAX_ITEMS = DeviceScores.Ordered.MAX_COLUMNS;

  /** Positions in a tile are ints. */
  private static final long MAX_SCORES = 1 << 29;

  /** Where so few rows are to be selected from, libtorch's top-k on CUDA may sort them whole. */
  private static final int FEW_LISTS = 10;

  private static final long SORTED_BYTES = 24;

  /** An index of eight bytes, and for a sparse score itself, what it is added to and the sum. */
  private static final long ENTRY_BYTES = 8 + 3 * 4;

  /**
   * Plans, or finds that not even one list and the narrowest tile fit.
   *
   * @param candidates how many items are kept of each list
   * @param bytes what may be used
   */
  static Optional<DevicePlan> of(
      DeviceScores.Form form,
      ItemRows items,
      int numLists,
      int candidates,
      boolean masks,
      long bytes) {
    if (candidates > MAX_ITEMS / 2) {
      throw new InvalidInputException(
          "lists on a device have at most %d items but %d were asked for"
              .formatted(MAX_ITEMS / 2 - 1, candidates));
    }
    // An eighth each for positions and for masks.
    long room = bytes / 4 * 3;
    int widest = Math.min(items.size(), MAX_ITEMS);
    int least = Math.min(widest, LEAST_ITEMS);
    // A tile that is narrower than the list would be copied whole into it.
    int good = Math.min(widest, Math.max(GOOD_ITEMS, 2 * candidates));
    for (int lists = Math.min(MAX_LISTS, numLists); ; lists = (lists + 1) / 2) {
      long perItem = lists * scoreBytes(form, lists, masks) + items.bytesPerRow() + form.constants;
      long kept = ((long) lists * form.kept + form.constants) * candidates;
      long width = (room - kept - (long) lists * candidates * form.met) / perItem;
      if (width < candidates) {
        // All scores of a tile are candidates.
        width = Math.min(candidates, (room - kept) / (perItem + (long) lists * form.met));
      }
      width = Math.min(Math.min(width, widest), MAX_SCORES / lists);
      if (width >= good || (lists == 1 && width >= least)) {
        int entries = (int) Math.min(1 << 24, bytes / 8 / (2 * ENTRY_BYTES));
        return Optional.of(
            new DevicePlan(lists, Tiles.evenWidth(items.size(), (int) width), entries, bytes / 8));
      }
      if (lists == 1) {
        return Optional.empty();
      }
    }
  }

  /** How many bytes the least that {@link #of} plans would take. */
  static long leastBytes(DeviceScores.Form form, long bytesPerRow, int candidates, boolean masks) {
    long perItem = scoreBytes(form, 1, masks) + bytesPerRow + form.constants + form.met;
    long room = (long) candidates * (form.kept + form.constants) + LEAST_ITEMS * perItem;
    return (room + 2) / 3 * 4 + 4;
  }

  /** What one score of a tile takes at the worst moment. */
  private static long scoreBytes(DeviceScores.Form form, int lists, boolean masks) {
    // Masks: two floats a bit while they are unpacked, a byte a score, the masked scores.
    return form.ofTile
        + (masks ? 2 * Float.BYTES + 2 + form.value : 0)
        + (lists <= FEW_LISTS ? SORTED_BYTES : 0);
  }
}
