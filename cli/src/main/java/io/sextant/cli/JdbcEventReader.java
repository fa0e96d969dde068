package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventReader;
import io.sextant.data.EventSink;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Reads the rows that a database gives for a query, through any JDBC driver on the class path. Rows
 * stream: the result never is in memory as a whole.
 *
 * <p>User and password may be in the environment instead of the URL: {@value #USER_VARIABLE} and
 * {@value #PASSWORD_VARIABLE}. No message shows them.
 */
final class JdbcEventReader implements EventReader {

  static final String DEFAULT_QUERY = "select * from events";
  private static final String USER_VARIABLE = "SEXTANT_JDBC_USER";
  private static final String PASSWORD_VARIABLE = "SEXTANT_JDBC_PASSWORD";
  private static final int FETCH_ROWS = 10_000;

  private final String url;
  private final String query;
  private final ColumnMapping mapping;

  JdbcEventReader(String url, String query, ColumnMapping mapping) {
    this.url = url;
    this.query = query.strip().replaceAll(";+$", "");
    this.mapping = mapping;
    try {
      DriverManager.getDriver(url);
    } catch (SQLException e) {
      throw new InvalidInputException(
          ("there is no JDBC driver for %s: put the jar of the database's driver on the class path,"
                  + " as in SEXTANT_CLASSPATH=driver.jar ./sextant ...")
              .formatted(name()),
          e);
    }
  }

  /** The URL without what may be secret: credentials before an '@', and parameters. */
  @Override
  public String name() {
    return url.replaceFirst("^(jdbc:[^:]*:(//)?).*@", "$1").replaceFirst("[?;].*", "");
  }

  @Override
  public void read(EventSink sink) {
    try (Connection connection = DriverManager.getConnection(url, properties())) {
      if (is("postgresql") || is("redshift")) {
        // Their drivers read a whole result at once unless it belongs to a transaction.
        connection.setAutoCommit(false);
      }
      try (Statement statement =
          connection.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
        // MySQL's driver streams for this number only.
        statement.setFetchSize(is("mysql") ? Integer.MIN_VALUE : FETCH_ROWS);
        try (ResultSet rows = statement.executeQuery(query)) {
          long count =
              new ResultRows(rows, mapping.resolve(columns(rows), name()))
                  .push(name(), mapping, sink);
          if (count == 0) {
            throw new InvalidInputException(
                "%s gives no row for the query '%s': there is nothing to read"
                    .formatted(name(), query));
          }
        }
      }
    } catch (SQLException e) {
      throw new InvalidInputException(
          "%s cannot be read by the query '%s': %s".formatted(name(), query, message(e)), e);
    }
  }

  private static List<String> columns(ResultSet rows) throws SQLException {
    ResultSetMetaData meta = rows.getMetaData();
    List<String> columns = new ArrayList<>();
    for (int i = 1; i <= meta.getColumnCount(); i++) {
      columns.add(meta.getColumnLabel(i));
    }
    return columns;
  }

  private Properties properties() {
    Properties properties = new Properties();
    set(properties, "user", System.getenv(USER_VARIABLE));
    set(properties, "password", System.getenv(PASSWORD_VARIABLE));
    if (is("duckdb")) {
      properties.setProperty("jdbc_stream_results", "true");
      properties.setProperty("autoinstall_known_extensions", "false");
      if (!url.matches("jdbc:duckdb:(:memory:.*)?")) {
        // A misspelt file must not come into being as an empty database.
        properties.setProperty("duckdb.read_only", "true");
      }
    } else if (is("sqlite")) {
      properties.setProperty("open_mode", "1"); // SQLITE_OPEN_READONLY
    }
    return properties;
  }

  private static void set(Properties properties, String key, @Nullable String value) {
    if (value != null) {
      properties.setProperty(key, value);
    }
  }

  private boolean is(String product) {
    return url.startsWith("jdbc:" + product + ":");
  }

  private String message(SQLException e) {
    String message = String.valueOf(e.getMessage()).replace(url, name());
    return message.lines().findFirst().orElse("");
  }
}
