package io.sextant.cli;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReaders;
import io.sextant.data.Interactions;
import io.sextant.tensor.CounterRandom;
import io.sextant.train.ExampleFeatures;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Interactions of which a known part was replaced by random ones, and clean slices to learn weights
 * from, to stop and judge trainings by, and to report on.
 *
 * @param observed what methods learn from, corrupt rows among it
 * @param clean the same rows before any was replaced
 * @param corrupt for each observed row whether it was replaced
 * @param features five of each observed row, as a policy sees them
 * @param metaSet 2 % of all rows
 * @param guard 3 % of all rows
 * @param test 10 % of all rows
 */
@SuppressWarnings("ArrayRecordComponent") // Worlds are used, not compared.
record NoiseWorld(
    Interactions observed,
    Interactions clean,
    boolean[] corrupt,
    ExampleFeatures features,
    Interactions metaSet,
    Interactions guard,
    Interactions test) {

  private static final int FEATURES = 5;

  /** MovieLens-1M's training file of neural collaborative filtering, or any file of pairs. */
  static Interactions read(Path data) {
    Path folder = data.resolve("ncf-loo");
    return new EventCleaner(
            CleaningOptions.builder().duplicates(CleaningOptions.Duplicates.KEEP_ALL).build())
        .clean(
            EventReaders.open(
                folder.resolve("ml-1m.train.pairs.tsv.gz"),
                EventFormat.PAIRS,
                ColumnMapping.DEFAULT))
        .interactions();
  }

  /**
   * Splits and corrupts.
   *
   * @param rate share of the rows to learn from whose item is replaced by a uniformly random one
   * @param informative whether one of the features differs between clean and corrupt rows: its mean
   *     is 1 or -1, its deviation 1, before a random sign and scale; the others are noise
   */
  static NoiseWorld of(Interactions all, double rate, boolean informative, long seed) {
    if (all.size() < 100) {
      throw new InvalidInputException(
          "%d interactions are too few to be split: at least 100 are needed".formatted(all.size()));
    }
    int n = all.size();
    int[] order = new int[n];
    Arrays.setAll(order, i -> i);
    new CounterRandom(seed, "noise-split", 0).shuffle(order);
    byte[] part = new byte[n];
    for (int i = 0; i < n; i++) {
      part[order[i]] = (byte) (i < n / 10 ? 3 : i < n * 3L / 25 ? 1 : i < n * 3L / 20 ? 2 : 0);
    }
    Interactions clean = all.filter(row -> part[row] == 0);
    boolean[] corrupt = new boolean[clean.size()];
    CounterRandom random = new CounterRandom(seed, "noise-corruption", 0);
    int[] users = clean.userOfRow();
    Interactions.Builder observed = Interactions.builder(all.users(), all.items());
    for (int row = 0; row < corrupt.length; row++) {
      corrupt[row] = random.nextDouble() < rate;
      int drawn = random.nextInt(all.numItems());
      observed.add(
          users[row],
          corrupt[row] ? drawn : clean.itemAt(row),
          EventType.CLICK,
          Float.NaN,
          1,
          Event.NO_TIME,
          InteractionFeatures.UNKNOWN);
    }
    return new NoiseWorld(
        observed.build(),
        clean,
        corrupt,
        features(corrupt, informative, seed),
        all.filter(row -> part[row] == 1),
        all.filter(row -> part[row] == 2),
        all.filter(row -> part[row] == 3));
  }

  private static ExampleFeatures features(boolean[] corrupt, boolean informative, long seed) {
    CounterRandom random = new CounterRandom(seed, "noise-features", 0);
    int index = random.nextInt(FEATURES);
    float sign = random.nextInt(2) == 0 ? -1 : 1;
    float scale = (float) Math.exp(random.nextGaussian());
    float[] values = new float[corrupt.length * FEATURES];
    for (int row = 0; row < corrupt.length; row++) {
      for (int f = 0; f < FEATURES; f++) {
        double mean = informative && f == index ? (corrupt[row] ? -1 : 1) : 0;
        double value = mean + random.nextGaussian();
        values[row * FEATURES + f] = (float) (f == index ? sign * scale * value : value);
      }
    }
    return ExampleFeatures.of(
        ExampleFeatures.Columns.standardized(
            List.of("feature 1", "feature 2", "feature 3", "feature 4", "feature 5"), values));
  }

  /** The observed rows without the corrupt ones. */
  Interactions oracle() {
    return observed.filter(row -> !corrupt[row]);
  }

  /**
   * What is not to be recommended when the test is judged: all that is known of a user, observed or
   * clean, but for test items that corruption has put there.
   */
  Interactions knownBeforeTest() {
    return known(test, List.of(observed, clean, metaSet, guard));
  }

  /** The same for the guard. */
  Interactions knownBeforeGuard() {
    return known(guard, List.of(observed, clean, metaSet, test));
  }

  private static Interactions known(Interactions truth, List<Interactions> parts) {
    Interactions.Builder known = Interactions.builder(truth.users(), truth.items());
    for (int user = 0; user < truth.numUsers(); user++) {
      int[] wanted = truth.seenOf(user);
      for (Interactions rows : parts) {
        for (int item : rows.seenOf(user)) {
          if (Arrays.binarySearch(wanted, item) < 0) {
            known.add(
                user,
                item,
                EventType.CLICK,
                Float.NaN,
                1,
                Event.NO_TIME,
                InteractionFeatures.UNKNOWN);
          }
        }
      }
    }
    return known.build();
  }
}
