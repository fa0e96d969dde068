package io.sextant.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Runs the command in this JVM and keeps what it says; makes small data. */
final class Cli {

  static final String RECIPE =
      """
      [data]
      format = "csv"

      [[popularity]]

      [twoTower]
      dimension = 8
      history = "SHARED"
      historyLength = 5
      negatives = 16
      inBatch = true
      epochs = 2
      batchSize = 64
      learningRate = 0.01
      patience = 0
      """;

  /** More sections for it: quick strategies, and a small policy that mixes all. */
  static final String POOL =
      """

      [[popularity]]
      name = "late-popularity"
      positionDecay = 0.5

      [transitions]
      [itemNeighbours]
      history.decay = 0.6

      [meta]
      k = 5
      candidates = 30
      poolDepth = 10
      hidden = 8
      epochs = 3
      """;

  /** Weights, whether they pay or not: events of four and five can be trusted. */
  static final String WEIGHTS =
      """

      [weights]
      mode = "ALWAYS"
      minValue = 4.0
      features = ["VALUE"]
      metaShare = 0.2
      guardShare = 0.2
      learningRate = 0.03
      epochs = 30
      dimension = 8
      batchSize = 512
      """;

  /** Step sizes, learned beside three trainings at most. */
  static final String RATES =
      """

      [rates]
      runs = 3
      metaShare = 0.1
      guardShare = 0.1
      """;

  private Cli() {}

  record Result(int exit, String out, String err) {

    /** What the command itself says of its failure, without the log of training. */
    String complaint() {
      return err.lines().filter(l -> l.startsWith("sextant: ")).reduce("", (a, b) -> a + b + "\n");
    }
  }

  static Result run(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try (PrintStream newOut = new PrintStream(outBytes, true, StandardCharsets.UTF_8);
        PrintStream newErr = new PrintStream(errBytes, true, StandardCharsets.UTF_8)) {
      System.setOut(newOut);
      System.setErr(newErr);
      int exit = Main.run(args);
      return new Result(
          exit,
          outBytes.toString(StandardCharsets.UTF_8),
          errBytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /** Events of 40 users over 25 items, five items in a row each from the user's own corner. */
  static Path events(Path folder, String separator, String header) throws IOException {
    Random random = new Random(7);
    StringBuilder text = new StringBuilder(header);
    for (int user = 0; user < 40; user++) {
      int corner = random.nextInt(25);
      for (int i = 0; i < 6; i++) {
        text.append(
            String.join(
                separator,
                "u" + user,
                "i" + (corner + i) % 25,
                Integer.toString(1 + random.nextInt(5)),
                Integer.toString(1_600_000_000 + user + i * 86_400)));
        text.append('\n');
      }
    }
    return Files.writeString(folder.resolve("events" + separator.length() + ".txt"), text);
  }

  /**
   * Ratings of 150 users in two groups: 16 of the items of their own, all high, and 8 others, all
   * low.
   */
  static Path ratedGroups(Path folder) throws IOException {
    Random random = new Random(5);
    StringBuilder text = new StringBuilder("user,item,rating,timestamp\n");
    for (int user = 0; user < 150; user++) {
      int[] items = random.ints(0, 30).distinct().limit(24).toArray();
      for (int i = 0; i < items.length; i++) {
        boolean own = i % 3 > 0;
        int item = items[i] + 30 * (own ? user % 2 : 1 - user % 2);
        int rating = own ? 4 + random.nextInt(2) : 1 + random.nextInt(3);
        text.append("u%d,i%d,%d,%d\n".formatted(user, item, rating, 1_600_000_000 + 60 * i));
      }
    }
    return Files.writeString(folder.resolve("rated.csv"), text);
  }

  static Path csv(Path folder) throws IOException {
    return events(folder, ",", "user,item,rating,timestamp\n");
  }

  static Path recipe(Path folder) throws IOException {
    return Files.writeString(folder.resolve("recipe.toml"), RECIPE);
  }
}
