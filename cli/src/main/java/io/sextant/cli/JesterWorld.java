package io.sextant.cli;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.feedback.CandidateScorer;
import io.sextant.feedback.Decision;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.Outcome;
import io.sextant.feedback.RewardRule;
import io.sextant.tensor.CounterRandom;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Users who rated every joke (jester5k, {@code full_dev.csv}): the reward of an item is the rating
 * that its user gave it. Two thirds of the users, drawn by the seed, come to the service; the
 * others never do. Of each user {@value #GIVEN} ratings are known beforehand, always the same ones;
 * candidates are the {@value #CANDIDATES} of the other jokes with the best mean rating, and a slate
 * has {@value #SLOTS} of them, whose places do not matter. Mean ratings, by which popularity ranks,
 * are of all ratings of all who come: more than a service could know, so that only taste is left to
 * be learned. The best slate is of all jokes but the given ones.
 */
final class JesterWorld implements SimulatedWorld {

  static final int GIVEN = 30;
  static final int CANDIDATES = 40;
  static final int SLOTS = 10;
  private static final RewardRule REWARD = RewardRule.valueOf(EventType.RATING, ROUND_MILLIS / 2);

  private final double[][] ratings;
  private final boolean[][] given;
  private final double[] means;
  private final List<Integer> visitors;
  private final List<Integer> strangers;
  private final double[] examination = new double[SLOTS];
  private final long seed;

  /**
   * A world of ratings.
   *
   * @param ratings (U, I)
   * @param seed decides who comes and which ratings are given
   */
  JesterWorld(double[][] ratings, long seed) {
    this.ratings = ratings;
    this.seed = seed;
    int items = ratings[0].length;
    // A slate's value is the mean rating of its items.
    Arrays.fill(examination, 1);
    int[] order = new int[ratings.length];
    Arrays.setAll(order, u -> u);
    new CounterRandom(seed, "jester-users", 0).shuffle(order);
    int coming = order.length * 2 / 3;
    visitors = Arrays.stream(order, 0, coming).boxed().toList();
    strangers = Arrays.stream(order, coming, order.length).boxed().toList();
    means = new double[items];
    for (int user : visitors) {
      for (int i = 0; i < items; i++) {
        means[i] += ratings[user][i] / coming;
      }
    }
    given = new boolean[ratings.length][items];
    for (int u = 0; u < given.length; u++) {
      int[] some = new int[items];
      Arrays.setAll(some, i -> i);
      new CounterRandom(seed, "jester-given", u).shuffle(some);
      for (int i = 0; i < GIVEN; i++) {
        given[u][some[i]] = true;
      }
    }
  }

  /** Reads {@code full_dev.csv}: a user's id, then a rating for each joke. */
  static double[][] read(Path folder) {
    Path file = folder.resolve("full_dev.csv");
    List<double[]> rows = new ArrayList<>();
    try (CsvReader<CsvRecord> csv = CsvReader.builder().ofCsvRecord(file)) {
      for (CsvRecord row : csv) {
        if (row.getStartingLineNumber() > 1) {
          rows.add(ratings(file, row));
        }
      }
    } catch (IOException | CsvParseException e) {
      throw new InvalidInputException(
          "%s cannot be read: %s; --data takes the folder jester5k".formatted(file, e.getMessage()),
          e);
    }
    int items = rows.isEmpty() ? 0 : rows.get(0).length;
    if (rows.size() < 12 || items < GIVEN + CANDIDATES) {
      throw new InvalidInputException(
          "%s has %d users and %d items but at least 12 and %d are needed"
              .formatted(file, rows.size(), items, GIVEN + CANDIDATES));
    }
    return rows.toArray(new double[0][]);
  }

  private static double[] ratings(Path file, CsvRecord row) {
    double[] ratings = new double[row.getFieldCount() - 1];
    for (int i = 0; i < ratings.length; i++) {
      try {
        ratings[i] = Double.parseDouble(row.getField(i + 1));
      } catch (NumberFormatException e) {
        throw new InvalidInputException(
            "%s, line %d: rating %d must be a number but was '%s'"
                .formatted(file, row.getStartingLineNumber(), i + 1, row.getField(i + 1)),
            e);
      }
    }
    return ratings;
  }

  @Override
  public double[] examination() {
    return examination;
  }

  @Override
  public RewardRule reward() {
    return REWARD;
  }

  @Override
  public double observedShare() {
    return 1;
  }

  @Override
  public double temperature() {
    return 0.5;
  }

  @Override
  public double epsilon() {
    return 0.1;
  }

  @Override
  public int memory() {
    return Integer.MAX_VALUE;
  }

  @Override
  public List<Integer> visitors() {
    return visitors;
  }

  @Override
  public List<Integer> strangers() {
    return strangers;
  }

  @Override
  public Visit visit(int user, int round) {
    int[] open =
        IntStream.range(0, means.length)
            .filter(i -> !given[user][i])
            .boxed()
            .sorted((a, b) -> Double.compare(means[b], means[a]))
            .mapToInt(i -> i)
            .toArray();
    float[] inputs = new float[means.length];
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = given[user][i] ? (float) ratings[user][i] : Float.NaN;
    }
    List<Decision.Candidate> candidates = new ArrayList<>(CANDIDATES);
    double[] worth = new double[CANDIDATES];
    for (int c = 0; c < CANDIDATES; c++) {
      candidates.add(
          new Decision.Candidate("j" + open[c], new float[] {(float) means[open[c]]}, 0));
      worth[c] = ratings[user][open[c]];
    }
    double[] all = Arrays.stream(open).mapToDouble(i -> ratings[user][i]).sorted().toArray();
    double best = Arrays.stream(all, all.length - SLOTS, all.length).sum() / SLOTS;
    Decision before =
        new Decision(
            "none", "u" + user, "none", 0, 0, inputs, new float[0], candidates, new int[0]);
    return new Visit(before, worth, best);
  }

  @Override
  public List<Outcome> outcomes(Visit visit, Decision shown, int round, CounterRandom random) {
    List<Outcome> outcomes = new ArrayList<>();
    for (int index : shown.slate()) {
      String item = shown.candidates().get(index).itemId();
      outcomes.add(
          new Outcome(
              shown.id(),
              item,
              EventType.RATING,
              visit.worth()[index],
              shown.timeMillis() + 1,
              ""));
    }
    return outcomes;
  }

  @Override
  public CandidateScorer popularity() {
    return CandidateScorer.weighted(1);
  }

  @Override
  public CandidateScorer learn(List<LoggedDecision> log) {
    Map<String, double[]> rows = new LinkedHashMap<>();
    for (LoggedDecision logged : log) {
      double[] row =
          rows.computeIfAbsent(
              String.valueOf(logged.decision().userId()), u -> row(logged.decision().inputs()));
      for (Outcome outcome : logged.outcomes()) {
        int item = number(outcome.itemId());
        row[item] = outcome.value() - means[item];
      }
    }
    RatingFactors factors = RatingFactors.fit(means, rows.values().toArray(new double[0][]), seed);
    return decision -> {
      double[] expected = factors.predict(row(decision.inputs()));
      return decision.candidates().stream()
          .mapToDouble(c -> expected[number(c.itemId())])
          .toArray();
    };
  }

  private double[] row(float[] inputs) {
    double[] row = new double[inputs.length];
    // NaN stays NaN.
    Arrays.setAll(row, i -> inputs[i] - means[i]);
    return row;
  }

  private static int number(String item) {
    return Integer.parseInt(item.substring(1));
  }
}
