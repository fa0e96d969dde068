package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReaders;
import io.sextant.data.FeatureReader;
import io.sextant.data.FeatureSpec;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import io.sextant.strategy.UserState;
import io.sextant.tensor.CounterRandom;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Users divided into tenths. A run judges one tenth, keeps another for choosing settings, and its
 * strategies learn from the other eight; no tenth is both judged in one run and for choosing in
 * another. The users of the judged tenth are served as never seen, by their features and by some of
 * their events.
 *
 * @param data all events and the features
 * @param protocol which events are shown and which are to be found
 * @param seed of the division and of what is drawn
 */
record UnseenUsers(Dataset data, Protocol protocol, long seed) {

  /** How many runs there are: half of the tenths are judged, the other half is for choosing. */
  static final int RUNS = 5;

  private static final int FOLDS = 2 * RUNS;
  private static final int QUERIES = 10;

  /** Which events are shown and which are to be found. */
  enum Protocol {
    /**
     * ML-1M in the order of its file: the first 0, 1, 3, 5, 10 events are shown; what follows the
     * first ten is to be found, the same for all.
     */
    CURVES,
    /** ML-100k: users of 13 to 100 events; ten random ones are to be found, all others shown. */
    MELU
  }

  /**
   * The judged users of one division, all with the same number of events shown.
   *
   * @param states the users
   * @param excluded items that are not listed
   * @param truth items to be found
   */
  record Cases(List<UserState> states, int[][] excluded, int[][] truth) {}

  static UnseenUsers read(Path folder, Protocol protocol, long seed) {
    return protocol == Protocol.CURVES ? readMl1m(folder, seed) : readMl100k(folder, seed);
  }

  private static UnseenUsers readMl1m(Path folder, long seed) {
    Path original = folder.resolve("original");
    Interactions all =
        new EventCleaner(
                CleaningOptions.builder().duplicates(CleaningOptions.Duplicates.KEEP_ALL).build())
            .clean(
                EventReaders.open(
                    required(original.resolve("ratings_user_movie_in_file_order.tsv.gz")),
                    EventFormat.TSV,
                    ColumnMapping.builder().columns("user=user_id,item=movie_id").build()))
            .interactions();
    FeatureTable users =
        FeatureReader.read(
                required(original.resolve("users.dat")),
                all.users(),
                new FeatureSpec(
                    "::",
                    false,
                    "0",
                    List.of(column("gender", "1"), column("age", "2"), column("occupation", "3")),
                    StandardCharsets.ISO_8859_1,
                    1 << 16))
            .table();
    return new UnseenUsers(
        new Dataset(all, users, FeatureTable.empty(all.numItems())), Protocol.CURVES, seed);
  }

  private static UnseenUsers readMl100k(Path folder, long seed) {
    Interactions all =
        new EventCleaner(CleaningOptions.defaults())
            .clean(
                EventReaders.open(
                    required(folder.resolve("ml-100k.inter")),
                    EventFormat.TSV,
                    ColumnMapping.DEFAULT))
            .interactions();
    Interactions few =
        all.filter(
            row -> {
              int degree = all.degree(all.userAt(row));
              return degree >= 13 && degree <= 100;
            });
    FeatureTable users =
        FeatureReader.read(
                required(folder.resolve("ml-100k.user")),
                all.users(),
                new FeatureSpec(
                    "\t",
                    true,
                    null,
                    List.of(
                        new FeatureSpec.Column("age", "age", FeatureSpec.Kind.NUMERIC, "|"),
                        column("gender", "gender"),
                        column("occupation", "occupation")),
                    StandardCharsets.UTF_8,
                    1 << 16))
            .table();
    return new UnseenUsers(
        new Dataset(few, users, FeatureTable.empty(all.numItems())), Protocol.MELU, seed);
  }

  private static FeatureSpec.Column column(String name, String source) {
    return new FeatureSpec.Column(name, source, FeatureSpec.Kind.CATEGORICAL, "|");
  }

  private static Path required(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(
          "file %s is not there: --data must be the folder of ml-1m for curves, of ml-100k for melu"
              .formatted(file));
    }
    return file;
  }

  /** What strategies learn from in this run. */
  Dataset train(int run) {
    Interactions all = data.interactions();
    int[] fold = folds();
    return data.withInteractions(
        all.filter(
            row -> {
              int f = fold[all.userAt(row)];
              return f != judgedFold(run) && f != choosingFold(run);
            }));
  }

  private static int judgedFold(int run) {
    return (FOLDS - run) % FOLDS;
  }

  private static int choosingFold(int run) {
    return 1 + run;
  }

  /**
   * The cases of a run by the number of events shown.
   *
   * @param choosing whether of the users for choosing settings, in the place of the judged ones
   */
  Map<String, Cases> cases(int run, boolean choosing) {
    int fold = choosing ? choosingFold(run) : judgedFold(run);
    int[] folds = folds();
    int[] users =
        IntStream.range(0, folds.length)
            .filter(u -> folds[u] == fold && data.interactions().degree(u) > QUERIES)
            .toArray();
    Map<String, Cases> cases = new LinkedHashMap<>();
    if (protocol == Protocol.MELU) {
      cases.put("rest", cases(users, -1));
    } else {
      for (int n : new int[] {0, 1, 3, 5, 10}) {
        cases.put(Integer.toString(n), cases(users, n));
      }
    }
    return cases;
  }

  private Cases cases(int[] users, int shown) {
    List<UserState> states = new ArrayList<>();
    int[][] excluded = new int[users.length][];
    int[][] truth = new int[users.length][];
    for (int i = 0; i < users.length; i++) {
      int[] history = data.interactions().historyOf(users[i]);
      int[] support;
      if (shown < 0) {
        int[] places = IntStream.range(0, history.length).toArray();
        new CounterRandom(seed, "few-shot-queries", users[i]).shuffle(places);
        int[] rest = Arrays.copyOfRange(places, QUERIES, places.length);
        Arrays.sort(rest);
        support = Arrays.stream(rest).map(place -> history[place]).toArray();
        truth[i] = Arrays.stream(places).limit(QUERIES).map(place -> history[place]).toArray();
        excluded[i] = distinct(support);
      } else {
        support = Arrays.copyOf(history, shown);
        truth[i] = Arrays.copyOfRange(history, QUERIES, history.length);
        // What came among the first ten but is not shown is neither known nor to be found.
        excluded[i] = distinct(Arrays.copyOf(history, QUERIES));
      }
      states.add(new UserState(users[i], support));
    }
    return new Cases(states, excluded, truth);
  }

  private static int[] distinct(int[] items) {
    return Arrays.stream(items).sorted().distinct().toArray();
  }

  /** The tenth of each user; those without events have none (-1). */
  private int[] folds() {
    Interactions all = data.interactions();
    int[] users = IntStream.range(0, all.numUsers()).filter(user -> all.degree(user) > 0).toArray();
    new CounterRandom(seed, "few-shot-folds", 0).shuffle(users);
    int[] folds = new int[all.numUsers()];
    Arrays.fill(folds, -1);
    for (int i = 0; i < users.length; i++) {
      folds[users[i]] = i % FOLDS;
    }
    return folds;
  }
}
