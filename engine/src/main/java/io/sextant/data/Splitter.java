package io.sextant.data;

import io.sextant.InvalidInputException;
import java.util.Arrays;

/**
 * A way to divide interactions into train, validation and test.
 *
 * <p>{@link #globalTime} is the default and the only one that is safe from leaks. All are
 * deterministic. Thread safety: immutable.
 */
public sealed interface Splitter {

  /** The three parts; every row is in exactly one of them. */
  Split split(Interactions all);

  /** The default: the last tenth of the time line is test, the tenth before it validation. */
  static Splitter globalTime() {
    return new GlobalTime(0.1, 0.1);
  }

  /** The last {@code test} of all rows by time is test, {@code validation} before it validation. */
  static Splitter globalTime(double validation, double test) {
    return new GlobalTime(validation, test);
  }

  /** Rows from {@code testFrom} on are test, those from {@code validationFrom} on validation. */
  static Splitter globalTimeAt(long validationFrom, long testFrom) {
    return new GlobalTimeAt(validationFrom, testFrom);
  }

  /** The last row of each user is test, the one before it validation. */
  static Splitter leaveOneOut() {
    return new LeaveOneOut();
  }

  /** A random part of each user's rows. */
  static Splitter perUserRatio(double validation, double test, long seed) {
    return new PerUserRatio(validation, test, seed);
  }

  /**
   * Two cuts through the time line, the same for all users, chosen so that about these shares of
   * the rows lie behind them. Rows of one moment stay together, so no row of train is as late as a
   * row of validation or test.
   *
   * <p>Leaks: none. Users and items that appear only behind the cut are there in the indexes, with
   * no rows in train: they are the cold start that a service really meets.
   *
   * @param validation share of the rows, in [0, 1)
   * @param test share of the rows, in [0, 1); both together less than 1
   */
  record GlobalTime(double validation, double test) implements Splitter {

    public GlobalTime {
      checkShares(validation, test);
    }

    @Override
    public Split split(Interactions all) {
      requireTimes(all);
      long[] times = new long[all.size()];
      for (int row = 0; row < times.length; row++) {
        times[row] = all.timeAt(row);
      }
      Arrays.sort(times);
      long testFrom = cut(times, test);
      long validationFrom = Math.min(testFrom, cut(times, validation + test));
      return new GlobalTimeAt(validationFrom, testFrom).split(all);
    }

    // The first moment that is behind the cut; the end of time if the share is nothing.
    private static long cut(long[] sorted, double share) {
      int behind = (int) Math.round(sorted.length * share);
      if (behind == 0) {
        return Long.MAX_VALUE;
      }
      int first = Math.max(0, sorted.length - behind);
      if (sorted[first] > sorted[0]) {
        return sorted[first];
      }
      // The cut fell into the first moment: train would be empty, so cut behind that moment.
      for (long time : sorted) {
        if (time > sorted[0]) {
          return time;
        }
      }
      return Long.MAX_VALUE;
    }
  }

  /**
   * Two cuts at given moments. Leaks: none.
   *
   * @param validationFrom the first moment (ms since 1970) of validation
   * @param testFrom the first moment of test, not before {@code validationFrom}
   */
  record GlobalTimeAt(long validationFrom, long testFrom) implements Splitter {

    public GlobalTimeAt {
      if (validationFrom > testFrom) {
        throw new InvalidInputException(
            "validationFrom must not be after testFrom but was %d, testFrom %d"
                .formatted(validationFrom, testFrom));
      }
    }

    @Override
    public Split split(Interactions all) {
      requireTimes(all);
      return new Split(
          all.filter(row -> all.timeAt(row) < validationFrom),
          all.filter(row -> all.timeAt(row) >= validationFrom && all.timeAt(row) < testFrom),
          all.filter(row -> all.timeAt(row) >= testFrom));
    }
  }

  /**
   * Each user's last row is test, the one before it validation; users with fewer than three rows
   * keep all of them in train. Without times the order of the source counts.
   *
   * <p>Leaks: train holds other users' events from after a user's test event, so item popularity
   * and co-occurrence come partly from the future. Published sequential benchmarks use it; do not
   * read its numbers as what a service would see.
   */
  record LeaveOneOut() implements Splitter {

    @Override
    public Split split(Interactions all) {
      byte[] part = new byte[all.size()];
      for (int user = 0; user < all.numUsers(); user++) {
        if (all.degree(user) >= 3) {
          part[all.end(user) - 1] = 2;
          part[all.end(user) - 2] = 1;
        }
      }
      return parts(all, part);
    }
  }

  /**
   * A random part of each user's rows, rounded; at least one row stays in train. The draw for a row
   * is a pure function of (seed, user index, position within the user): no generator runs along, so
   * the result depends on nothing else.
   *
   * <p>Leaks: the most of all. A user's own future is in train beside other users' future; the same
   * item can be in train and test where a user has it twice. For rating prediction and for
   * comparison with published numbers only.
   *
   * @param validation share of each user's rows, in [0, 1)
   * @param test share of each user's rows, in [0, 1); both together less than 1
   * @param seed any number
   */
  record PerUserRatio(double validation, double test, long seed) implements Splitter {

    public PerUserRatio {
      checkShares(validation, test);
    }

    @Override
    public Split split(Interactions all) {
      byte[] part = new byte[all.size()];
      for (int user = 0; user < all.numUsers(); user++) {
        int degree = all.degree(user);
        int held = Math.min(degree - 1, (int) Math.round(degree * (validation + test)));
        if (held <= 0) {
          continue;
        }
        int inTest = Math.min(held, (int) Math.round(degree * test));
        long[] keys = new long[degree];
        long userKey = mix(mix(seed) ^ user);
        for (int i = 0; i < degree; i++) {
          // The position in the low bits breaks ties and says where the key came from.
          long random = mix(userKey + i) & 0xFFFFFFFF80000000L;
          keys[i] = random | i;
        }
        Arrays.sort(keys);
        for (int i = 0; i < held; i++) {
          int position = (int) (keys[i] & 0x7FFFFFFFL);
          part[all.start(user) + position] = (byte) (i < inTest ? 2 : 1);
        }
      }
      return parts(all, part);
    }

    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    private static long mix(long z) {
      z = (z + 0x9E3779B97F4A7C15L);
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      return z ^ (z >>> 31);
    }
  }

  private static Split parts(Interactions all, byte[] part) {
    return new Split(
        all.filter(row -> part[row] == 0),
        all.filter(row -> part[row] == 1),
        all.filter(row -> part[row] == 2));
  }

  private static void checkShares(double validation, double test) {
    if (!(validation >= 0) || !(test >= 0) || !(validation + test < 1)) {
      throw new InvalidInputException(
          ("validation and test must be shares >= 0 that add up to less than 1"
                  + " but were %s and %s")
              .formatted(validation, test));
    }
  }

  private static void requireTimes(Interactions all) {
    if (all.size() > 0 && !all.hasTimes()) {
      throw new InvalidInputException(
          "a cut by time needs a time for every interaction, and some have none: "
              + "name the time column, or split by leave-one-out or per user");
    }
  }
}
