package io.sextant.retrieve;

import io.sextant.InvalidInputException;

/**
 * How a {@link CompactIndex} stores items; its lists do not depend on it.
 *
 * <p>Thread safety: immutable.
 *
 * @param precision of the stored numbers
 * @param overquery how many times k items survive the search in the stored numbers and are scored
 *     again, at least 1. The more, the fewer lists have to be computed again with all items
 */
public record CompactOptions(Precision precision, double overquery) {

  /** What is stored of a vector. */
  public enum Precision {
    /** Half precision: 2 bytes a number. */
    FLOAT16(1.25),
    /** Whole numbers from -127 to 127 with a scale for each vector: 1 byte a number. */
    INT8(2);

    private final double overquery;

    Precision(double overquery) {
      this.overquery = overquery;
    }
  }

  /** So many more items survive, whatever k is. */
  private static final int EXTRA = 16;

  public CompactOptions {
    if (!(overquery >= 1 && overquery <= 1000)) {
      throw new InvalidInputException("overquery must lie in 1..1000 but was " + overquery);
    }
  }

  /** The precision with 1.25 times as many survivors as items asked for, or twice for INT8. */
  public static CompactOptions of(Precision precision) {
    return new CompactOptions(precision, precision.overquery);
  }

  /** How many items of a catalogue survive. */
  int survivors(int k, int numItems) {
    return (int) Math.min(numItems, Math.ceil(k * overquery) + EXTRA);
  }
}
