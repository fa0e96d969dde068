package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.Event;
import io.sextant.InvalidInputException;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventSink;
import io.sextant.data.RejectReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DuckDbEventReaderTest {

  @TempDir Path folder;

  private static final class Sink implements EventSink {
    final List<Event> events = new ArrayList<>();
    final List<String> rejected = new ArrayList<>();

    @Override
    public void accept(long line, Event event) {
      events.add(event);
    }

    @Override
    public void reject(long line, RejectReason reason, String detail, String row) {
      rejected.add(line + " " + reason + " " + row);
    }
  }

  private Path write(String name, String query, String format) throws SQLException {
    Path file = folder.resolve(name);
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement()) {
      statement.execute(
          "COPY (%s) TO '%s' (FORMAT %s)"
              .formatted(query, file.toString().replace("'", "''"), format));
    }
    return file;
  }

  private static Sink read(Path file, String format, ColumnMapping mapping) {
    Sink sink = new Sink();
    EventFiles.reader(file, format, mapping).read(sink);
    return sink;
  }

  @ParameterizedTest
  @ValueSource(strings = {"parquet", "json"})
  void readsIdsTimesAndValuesInOrder(String format) throws SQLException {
    Path file =
        write(
            "it's [1]*." + format,
            "SELECT range AS user_id, 'i' || range % 7 AS item_id, range % 5 + 0.5 AS rating,"
                + " TIMESTAMP '1971-01-01 00:00:00' + to_seconds(range) AS timestamp"
                + " FROM range(5000)",
            format);
    Sink sink = read(file, format, ColumnMapping.DEFAULT);
    assertThat(sink.rejected).isEmpty();
    assertThat(sink.events).hasSize(5000);
    long start = Instant.parse("1971-01-01T00:00:00Z").toEpochMilli();
    for (int i = 0; i < 5000; i++) {
      Event event = sink.events.get(i);
      assertThat(event.userId()).isEqualTo(Integer.toString(i));
      assertThat(event.itemId()).isEqualTo("i" + i % 7);
      assertThat(event.value()).isEqualTo(i % 5 + 0.5f);
      assertThat(event.timeMillis()).isEqualTo(start + i * 1000L);
    }
  }

  @Test
  void rowsWithoutAnIdAreRejectedAtTheirPlace() throws SQLException {
    Path file =
        write(
            "a.parquet",
            "SELECT * FROM (VALUES ('a', 'x'), (NULL, 'y'), ('c', 'z')) AS t(who, what)",
            "parquet");
    Sink sink = read(file, "parquet", ColumnMapping.parse("user=who,item=what"));
    assertThat(sink.events.stream().map(Event::itemId)).containsExactly("x", "z");
    assertThat(sink.rejected).containsExactly("2 MISSING_USER user=null,item=y");
  }

  @Test
  void whatCannotBeReadIsNamed() throws IOException, SQLException {
    Path columns = write("b.parquet", "SELECT 1 AS user, 2 AS thing", "parquet");
    Path none = write("c.parquet", "SELECT 1 AS user, 2 AS item LIMIT 0", "parquet");
    Path zeros = Files.write(folder.resolve("d.parquet"), new byte[100]);
    refused(columns, "there is no item column");
    refused(none, "c.parquet is empty");
    refused(zeros, "d.parquet cannot be read as parquet");
    refused(folder.resolve("e.parquet"), "e.parquet");
  }

  private static void refused(Path file, String part) {
    assertThatThrownBy(() -> read(file, "parquet", ColumnMapping.DEFAULT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(part);
  }
}
