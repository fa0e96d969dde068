package io.sextant.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.NamedCsvRecord;
import io.sextant.InvalidInputException;
import io.sextant.feedback.ActionProbabilities;
import io.sextant.feedback.LoggedRounds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A bandit's log in a folder.
 *
 * <ul>
 *   <li>{@code csv}: {@code rounds.csv} with the columns action, reward and propensity; every other
 *       column is a number of the context. A file {@code log.json} may say the schema version:
 *       {@code {"schemaVersion": 1}}.
 *   <li>{@code obd}: a campaign of the Open Bandit Dataset (Saito et al., arXiv 2008.07146):
 *       actions are the items of {@code item_context.csv}, the reward is the click, the context is
 *       the position, one-hot.
 * </ul>
 *
 * @param rounds what was logged
 * @param actions the names of the actions, by index
 */
record BanditLog(LoggedRounds rounds, List<String> actions) {

  private static final int SCHEMA = 1;
  private static final String ITEMS = "item_context.csv";
  private static final List<String> PROPENSITIES =
      List.of("propensity_score", "action_prob", "propensity");

  static BanditLog read(Path folder, String format) {
    if (!Files.isDirectory(folder)) {
      throw new InvalidInputException(
          folder + " is no folder: --logs takes the folder in which the log lies");
    }
    return switch (format) {
      case "csv" -> csv(folder);
      case "obd" -> obd(folder);
      default ->
          throw new InvalidInputException("--format knows obd and csv but not '" + format + "'");
    };
  }

  /**
   * A target policy: {@code uniform}, or a file with one column for each action, headed by its
   * name, and a row for each round, or one row for all.
   */
  ActionProbabilities target(String spec) {
    int n = rounds.size();
    int k = actions.size();
    if (spec.equals("uniform")) {
      return ActionProbabilities.uniform(n, k);
    }
    List<Row> rows = rows(Path.of(spec));
    if (rows.size() != n && rows.size() != 1) {
      throw new InvalidInputException(
          "%s has %d rows but the log has %d rounds: give a row for each, or one for all"
              .formatted(spec, rows.size(), n));
    }
    double[] values = new double[n * k];
    for (int i = 0; i < n; i++) {
      Row row = rows.get(rows.size() == 1 ? 0 : i);
      if (row.record().getFieldCount() != k) {
        throw row.bad(
            "%d actions are needed but there are %d columns"
                .formatted(k, row.record().getFieldCount()));
      }
      double sum = 0;
      for (int a = 0; a < k; a++) {
        double probability = row.number(actions.get(a));
        if (!(probability >= 0 && probability <= 1)) {
          throw row.bad(
              "the probability of %s must lie in 0..1 but was %s"
                  .formatted(actions.get(a), probability));
        }
        values[i * k + a] = probability;
        sum += probability;
      }
      if (Math.abs(sum - 1) > 1e-6) {
        throw row.bad("the probabilities must add up to 1 but made " + sum);
      }
    }
    return new ActionProbabilities(k, values);
  }

  private static BanditLog csv(Path folder) {
    checkSchema(folder.resolve("log.json"));
    List<Row> rows = rows(folder.resolve("rounds.csv"));
    TreeSet<String> names = new TreeSet<>();
    rows.forEach(row -> names.add(row.text("action")));
    List<String> contexts = new ArrayList<>(rows.get(0).record().getHeader());
    contexts.removeAll(List.of("action", "reward", "propensity"));
    return assemble(rows, List.copyOf(names), "action", "reward", "propensity", contexts);
  }

  private static void checkSchema(Path file) {
    if (!Files.exists(file)) {
      return;
    }
    try {
      JsonNode version = new ObjectMapper().readTree(file.toFile()).path("schemaVersion");
      if (!version.isInt() || version.asInt() != SCHEMA) {
        throw new InvalidInputException(
            "%s: the log has schema version %s but this program reads %d: export it again"
                .formatted(file, version.isMissingNode() ? "(none)" : version, SCHEMA));
      }
    } catch (IOException e) {
      throw new InvalidInputException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static BanditLog obd(Path folder) {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files =
          all.filter(f -> f.toString().endsWith(".csv"))
              .filter(f -> !f.getFileName().toString().equals(ITEMS))
              .toList();
    } catch (IOException e) {
      throw new InvalidInputException(folder + " cannot be read: " + e.getMessage(), e);
    }
    if (files.size() != 1) {
      throw new InvalidInputException(
          "%s must hold %s and one csv file of rounds but has %d: give the folder of one policy"
              .formatted(folder, ITEMS, files.size()));
    }
    List<String> items = new ArrayList<>();
    rows(folder.resolve(ITEMS)).forEach(row -> items.add(row.text("item_id")));
    List<Row> rows = rows(files.get(0));
    List<String> header = rows.get(0).record().getHeader();
    String propensity =
        PROPENSITIES.stream()
            .filter(header::contains)
            .findFirst()
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        files.get(0) + " has none of the columns " + PROPENSITIES));
    BanditLog plain = assemble(rows, items, "item_id", "click", propensity, List.of());
    return new BanditLog(withPositions(plain.rounds(), rows), items);
  }

  private static LoggedRounds withPositions(LoggedRounds log, List<Row> rows) {
    TreeSet<String> positions = new TreeSet<>();
    rows.forEach(row -> positions.add(row.text("position")));
    List<String> sorted = List.copyOf(positions);
    int d = sorted.size();
    double[] contexts = new double[rows.size() * d];
    for (int i = 0; i < rows.size(); i++) {
      contexts[i * d + sorted.indexOf(rows.get(i).text("position"))] = 1;
    }
    return new LoggedRounds(
        log.numActions(), log.actions(), log.rewards(), log.propensities(), d, contexts);
  }

  private static BanditLog assemble(
      List<Row> rows,
      List<String> names,
      String action,
      String reward,
      String propensity,
      List<String> contexts) {
    Map<String, Integer> indexOf = new LinkedHashMap<>();
    names.forEach(name -> indexOf.put(name, indexOf.size()));
    int n = rows.size();
    int d = contexts.size();
    int[] actions = new int[n];
    double[] rewards = new double[n];
    double[] propensities = new double[n];
    double[] numbers = new double[n * d];
    for (int i = 0; i < n; i++) {
      Row row = rows.get(i);
      String name = row.text(action);
      Integer index = indexOf.get(name);
      if (index == null) {
        throw row.bad("%s '%s' is not one of the known ones".formatted(action, name));
      }
      actions[i] = index;
      rewards[i] = row.number(reward);
      propensities[i] = row.number(propensity);
      if (!(propensities[i] > 0 && propensities[i] <= 1)) {
        throw row.bad(
            "%s must be > 0 and <= 1 but was %s: log the probability that the sampling code used"
                .formatted(propensity, propensities[i]));
      }
      for (int j = 0; j < d; j++) {
        numbers[i * d + j] = row.number(contexts.get(j));
      }
    }
    return new BanditLog(
        new LoggedRounds(names.size(), actions, rewards, propensities, d, numbers), names);
  }

  /** A row that knows where it stands. */
  private record Row(Path file, NamedCsvRecord record) {

    String text(String column) {
      String text =
          record
              .findField(column)
              .orElseThrow(
                  () ->
                      new InvalidInputException(
                          "%s has no column %s; it has %s"
                              .formatted(file, column, record.getHeader())));
      if (text.isBlank()) {
        throw bad(column + " is missing");
      }
      return text;
    }

    double number(String column) {
      String text = text(column);
      double value;
      try {
        value = Double.parseDouble(text);
      } catch (NumberFormatException e) {
        throw bad("%s must be a number but was '%s'".formatted(column, text));
      }
      if (!Double.isFinite(value)) {
        throw bad("%s must be a finite number but was '%s'".formatted(column, text));
      }
      return value;
    }

    InvalidInputException bad(String what) {
      return new InvalidInputException(
          "%s, line %d: %s".formatted(file, record.getStartingLineNumber(), what));
    }
  }

  private static List<Row> rows(Path file) {
    List<Row> rows = new ArrayList<>();
    try (CsvReader<NamedCsvRecord> csv =
        CsvReader.builder().allowMissingFields(false).ofNamedCsvRecord(file)) {
      csv.forEach(record -> rows.add(new Row(file, record)));
    } catch (IOException | UncheckedIOException | CsvParseException | IllegalStateException e) {
      throw new InvalidInputException(file + " cannot be read: " + e.getMessage(), e);
    }
    if (rows.isEmpty()) {
      throw new InvalidInputException(file + " has no rows");
    }
    return rows;
  }
}
