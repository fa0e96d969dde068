package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.Event;
import io.sextant.InvalidInputException;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventSink;
import io.sextant.data.RejectReason;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JdbcEventReaderTest {

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

  private String database(String... statements) throws SQLException {
    String url = "jdbc:duckdb:" + folder.resolve("shop.duckdb");
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
    return url;
  }

  private static Sink read(String url, String query, ColumnMapping mapping) {
    Sink sink = new Sink();
    new JdbcEventReader(url, query, mapping).read(sink);
    return sink;
  }

  @Test
  void readsTheTableOfEventsInOrder() throws SQLException {
    String url =
        database(
            "CREATE TABLE events AS SELECT range AS user_id, 'i' || range % 7 AS item_id,"
                + " CAST(range % 5 + 0.5 AS DOUBLE) AS rating,"
                + " TIMESTAMP '1971-01-01 00:00:00' + to_seconds(range) AS timestamp"
                + " FROM range(25000)");
    Sink sink = read(url, JdbcEventReader.DEFAULT_QUERY, ColumnMapping.DEFAULT);
    assertThat(sink.rejected).isEmpty();
    assertThat(sink.events).hasSize(25_000);
    long start = Instant.parse("1971-01-01T00:00:00Z").toEpochMilli();
    for (int i = 0; i < 25_000; i++) {
      Event event = sink.events.get(i);
      assertThat(event.userId()).isEqualTo(Integer.toString(i));
      assertThat(event.itemId()).isEqualTo("i" + i % 7);
      assertThat(event.value()).isEqualTo(i % 5 + 0.5f);
      assertThat(event.timeMillis()).isEqualTo(start + i * 1000L);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "TIMESTAMP '2020-03-01 12:00:00.250', 2020-03-01T12:00:00.250Z",
    "TIMESTAMPTZ '2020-03-01 12:00:00+02', 2020-03-01T10:00:00Z",
    "DATE '2020-03-01', 2020-03-01T00:00:00Z",
    "CAST(1583064000 AS BIGINT), 2020-03-01T12:00:00Z",
    "'''2020-03-01T12:00:00Z''', 2020-03-01T12:00:00Z",
  })
  void timesOfEveryTypeAreUnderstood(String sql, String expected) {
    Sink sink =
        read(
            "jdbc:duckdb:",
            "SELECT 1 AS who, 2 AS what, " + sql + " AS t;",
            ColumnMapping.parse("user=who,item=what,time=t"));
    assertThat(sink.rejected).isEmpty();
    assertThat(sink.events.stream().map(Event::timeMillis))
        .containsExactly(Instant.parse(expected).toEpochMilli());
  }

  @Test
  void rowsWithoutAnIdAreRejectedAtTheirPlace() {
    Sink sink =
        read(
            "jdbc:duckdb:",
            "SELECT * FROM (VALUES ('a', 'x', 1.5), (NULL, 'y', 2), ('c', NULL, 3), ('d', 'z', NULL))"
                + " AS t(user, item, rating)",
            ColumnMapping.DEFAULT);
    assertThat(sink.events.stream().map(Event::itemId)).containsExactly("x", "z");
    assertThat(sink.rejected)
        .containsExactly(
            "2 MISSING_USER user=null,item=y,value=2.0",
            "3 MISSING_ITEM user=c,item=null,value=3.0");
  }

  @Test
  void whatCannotBeReadIsNamed() throws SQLException {
    String url = database("CREATE TABLE events(uid INT, thing INT)");
    refused(url, "select * from event", "shop.duckdb", "by the query 'select * from event'");
    refused(url, "select * from events", "shop.duckdb", "there is no item column");
    refused(url, "select uid, thing as item from events", "shop.duckdb", "no row for the query");
    refused(url, "drop table events", "shop.duckdb", "cannot be read");
    Path missing = folder.resolve("misspelt.duckdb");
    refused("jdbc:duckdb:" + missing, "select 1", "misspelt.duckdb");
    assertThat(missing).doesNotExist();
  }

  private static void refused(String url, String query, String... parts) {
    assertThatThrownBy(() -> read(url, query, ColumnMapping.parse("user=uid")))
        .isInstanceOf(InvalidInputException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts).hasLineCount(1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:nosuch://ann:secret@host:5432/shop?password=secret",
        "jdbc:nosuch:thin:ann/secret@host:1521/shop;password=secret",
        "jdbc:nosuch://host/shop?user=ann&password=secret@x",
      })
  void aMissingDriverIsNamedAndASecretIsNot(String url) {
    assertThatThrownBy(() -> new JdbcEventReader(url, "select 1", ColumnMapping.DEFAULT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no JDBC driver for jdbc:nosuch:")
        .hasMessageContaining("SEXTANT_CLASSPATH=driver.jar")
        .hasMessageNotContaining("secret");
  }

  /**
   * A database as PostgreSQL's driver shows it: it streams within a transaction only, and asked for
   * an object of a class that does not fit it throws.
   */
  @Test
  void streamsInATransactionAndFallsBackToText() throws SQLException {
    List<String> calls = new ArrayList<>();
    int[] row = {0};
    ResultSetMetaData meta =
        proxy(
            ResultSetMetaData.class,
            Map.of(
                "getColumnCount", args -> 3,
                "getColumnLabel", args -> List.of("user", "item", "time").get((int) args[0] - 1),
                "getColumnTypeName", args -> "timestamp",
                "getColumnType", args -> Types.TIMESTAMP),
            calls);
    ResultSet result =
        proxy(
            ResultSet.class,
            Map.of(
                "getMetaData", args -> meta,
                "next", args -> row[0]++ < 3,
                "getObject", args -> new SQLException("no LocalDateTime here"),
                "getString", args -> List.of("u", "i", "1583064000").get((int) args[0] - 1)),
            calls);
    Statement statement = proxy(Statement.class, Map.of("executeQuery", args -> result), calls);
    Connection connection =
        proxy(Connection.class, Map.of("createStatement", args -> statement), calls);
    Driver driver =
        proxy(
            Driver.class,
            Map.of(
                "acceptsURL", args -> ((String) args[0]).startsWith("jdbc:postgresql://stand-in"),
                "connect", args -> connection),
            calls);
    DriverManager.registerDriver(driver);
    try {
      Sink sink = read("jdbc:postgresql://stand-in/shop", "select 1", ColumnMapping.DEFAULT);
      assertThat(sink.events.stream().map(Event::timeMillis))
          .containsExactly(1_583_064_000_000L, 1_583_064_000_000L, 1_583_064_000_000L);
    } finally {
      DriverManager.deregisterDriver(driver);
    }
    assertThat(calls)
        .containsSubsequence(
            "setAutoCommit[false]", "setFetchSize[10000]", "executeQuery[select 1]");
    assertThat(IntStream.range(0, calls.size()).filter(i -> calls.get(i).equals("close[]")))
        .as("result, statement and connection are closed")
        .hasSize(3);
  }

  private interface Answer {
    Object to(Object[] arguments);
  }

  /** Answers the named methods, notes the others; an answer that is an exception is thrown. */
  private static <T> T proxy(Class<T> type, Map<String, Answer> answers, List<String> calls) {
    return type.cast(
        Proxy.newProxyInstance(
            JdbcEventReaderTest.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              Object[] given = arguments == null ? new Object[0] : arguments;
              if (method.getDeclaringClass() == Object.class) {
                return method.getName().equals("equals")
                    ? (Object) (self == given[0])
                    : method.getName().equals("hashCode") ? (Object) 1 : type.getSimpleName();
              }
              calls.add(method.getName() + List.of(given));
              Answer answer = answers.get(method.getName());
              Object value = answer == null ? null : answer.to(given);
              if (value instanceof SQLException e) {
                throw e;
              }
              return value;
            }));
  }
}
