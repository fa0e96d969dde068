package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.feedback.Decision;
import io.sextant.feedback.DecisionLog;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.Outcome;
import io.sextant.feedback.SqliteDecisionLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Writes a log of decisions as Parquet, a row for each candidate of each decision: {@code slot} is
 * its place in the slate, null where it was not shown; {@code outcomes} is a JSON array of {@code
 * {"type", "value", "time", "key"}}; inputs, gates and scores are JSON arrays of numbers, null for
 * what is none.
 */
@Command(name = "export", description = "Writes a log of decisions as a Parquet file.")
final class FeedbackExport implements Callable<Integer> {

  private static final String COLUMNS =
      "decision VARCHAR, \"user\" VARCHAR, policy VARCHAR, baseline VARCHAR, time BIGINT, seed BIGINT,"
          + " history VARCHAR, history_length INTEGER, inputs VARCHAR, gates VARCHAR, candidate INTEGER, item VARCHAR, scores VARCHAR,"
          + " propensity DOUBLE, slot INTEGER, outcomes VARCHAR";

  @Option(
      names = "--log",
      required = true,
      description = "file of the log, as serve --log keeps it")
  private Path log = Path.of("");

  @Option(names = "--out", required = true, description = "the file, as decisions.parquet")
  private Path out = Path.of("");

  @Option(names = "--from", description = "first time, in milliseconds since 1970")
  private long from = Long.MIN_VALUE;

  @Option(names = "--to", description = "first time that is not exported")
  private long to = Long.MAX_VALUE;

  @Override
  public Integer call() {
    if (!Files.isRegularFile(log)) {
      throw new InvalidInputException(log + " is no file: --log takes a log of decisions");
    }
    Path target = out.toAbsolutePath();
    Path beside = target.resolveSibling("." + target.getFileName() + ".tmp");
    long rows;
    try (DecisionLog decisions = SqliteDecisionLog.open(log);
        Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE decisions (" + COLUMNS + ")");
      rows = append(decisions, connection.unwrap(DuckDBConnection.class));
      statement.execute(
          "COPY decisions TO '"
              + beside.toString().replace("'", "''")
              + "' (FORMAT parquet, COMPRESSION zstd)");
      Files.move(beside, target, StandardCopyOption.REPLACE_EXISTING);
    } catch (SQLException | IOException e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new InvalidInputException(
          "%s cannot be written: %s; choose another --out".formatted(out, message), e);
    }
    System.out.println("wrote " + rows + " rows to " + out);
    return 0;
  }

  private long append(DecisionLog decisions, DuckDBConnection connection) throws SQLException {
    long[] rows = new long[1];
    try (DuckDBAppender appender = connection.createAppender("main", "decisions")) {
      decisions.read(
          from,
          to,
          logged -> {
            try {
              rows[0] += append(logged, appender);
            } catch (SQLException e) {
              throw new InvalidInputException(
                  "decision '%s' cannot be exported: %s"
                      .formatted(logged.decision().id(), e.getMessage()),
                  e);
            }
          });
    }
    return rows[0];
  }

  private static int append(LoggedDecision logged, DuckDBAppender appender) throws SQLException {
    Decision decision = logged.decision();
    List<Decision.Candidate> candidates = decision.candidates();
    Integer[] slots = new Integer[candidates.size()];
    for (int slot = 0; slot < decision.slate().length; slot++) {
      slots[decision.slate()[slot]] = slot;
    }
    Decision.History history = decision.history();
    String items =
        history == null
            ? ""
            : history.items().stream()
                .map(FeedbackExport::quoted)
                .collect(Collectors.joining(",", "[", "]"));
    for (int c = 0; c < slots.length; c++) {
      Decision.Candidate candidate = candidates.get(c);
      appender.beginRow();
      appender.append(decision.id());
      append(decision.userId(), appender);
      appender.append(decision.policyVersion());
      append(decision.baselineVersion(), appender);
      appender.append(decision.timeMillis());
      appender.append(decision.seed());
      if (history == null) {
        appender.appendNull();
        appender.appendNull();
      } else {
        appender.append(items);
        appender.append(history.length());
      }
      appender.append(numbers(decision.inputs()));
      appender.append(numbers(decision.gates()));
      appender.append(c);
      appender.append(candidate.itemId());
      appender.append(numbers(candidate.scores()));
      appender.append(candidate.propensity());
      if (slots[c] == null) {
        appender.appendNull();
      } else {
        appender.append(slots[c].intValue());
      }
      appender.append(outcomes(logged, candidate.itemId()));
      appender.endRow();
    }
    return slots.length;
  }

  private static void append(@Nullable String text, DuckDBAppender appender) throws SQLException {
    if (text == null) {
      appender.appendNull();
    } else {
      appender.append(text);
    }
  }

  private static String numbers(float[] values) {
    StringBuilder text = new StringBuilder("[");
    for (float value : values) {
      text.append(text.length() > 1 ? "," : "").append(Float.isFinite(value) ? value : "null");
    }
    return text.append(']').toString();
  }

  private static String outcomes(LoggedDecision logged, String item) {
    return logged.outcomes().stream()
        .filter(outcome -> outcome.itemId().equals(item))
        .map(FeedbackExport::json)
        .collect(Collectors.joining(",", "[", "]"));
  }

  private static String json(Outcome outcome) {
    return "{\"type\":\"%s\",\"value\":%s,\"time\":%d,\"key\":%s}"
        .formatted(outcome.type(), outcome.value(), outcome.timeMillis(), quoted(outcome.key()));
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    text.chars()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                quoted.append('\\').append((char) c);
              } else if (c < ' ') {
                quoted.append("\\u%04x".formatted(c));
              } else {
                quoted.append((char) c);
              }
            });
    return quoted.append('"').toString();
  }
}
