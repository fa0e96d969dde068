package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventField;
import io.sextant.data.EventReader;
import io.sextant.data.EventSink;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;

/** Reads Parquet files and JSON lines by DuckDB; a line is the row's number, from 1. */
final class DuckDbEventReader implements EventReader {

  /** What it reads. */
  enum Format {
    PARQUET("read_parquet"),
    JSON("read_json_auto");

    private final String function;

    Format(String function) {
      this.function = function;
    }
  }

  private final Path file;
  private final Format format;
  private final ColumnMapping mapping;

  DuckDbEventReader(Path file, Format format, ColumnMapping mapping) {
    this.file = file;
    this.format = format;
    this.mapping = mapping;
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new InvalidInputException(
          "%s cannot be read: there is no such file or it may not be read".formatted(file));
    }
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public void read(EventSink sink) {
    Properties properties = new Properties();
    properties.setProperty("jdbc_stream_results", "true");
    properties.setProperty("autoinstall_known_extensions", "false");
    String from = " FROM " + format.function + "(" + literal(file) + ")";
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:", properties);
        Statement statement = connection.createStatement()) {
      List<String> names = new ArrayList<>();
      List<String> types = new ArrayList<>();
      try (ResultSet none = statement.executeQuery("SELECT *" + from + " LIMIT 0")) {
        ResultSetMetaData meta = none.getMetaData();
        for (int i = 1; i <= meta.getColumnCount(); i++) {
          names.add(meta.getColumnName(i));
          types.add(meta.getColumnTypeName(i));
        }
      }
      Map<EventField, Integer> places = new EnumMap<>(EventField.class);
      List<String> texts = new ArrayList<>();
      mapping
          .resolve(names, name())
          .forEach(
              (field, index) -> {
                places.put(field, texts.size());
                texts.add(asText(field, names.get(index), types.get(index)));
              });
      try (ResultSet rows = statement.executeQuery("SELECT " + String.join(", ", texts) + from)) {
        if (new ResultRows(rows, places).push(name(), mapping, sink) == 0) {
          throw new InvalidInputException(name() + " is empty: there is nothing to read");
        }
      }
    } catch (SQLException e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new InvalidInputException(
          "%s cannot be read as %s: %s"
              .formatted(name(), format.name().toLowerCase(Locale.ROOT), message),
          e);
    }
  }

  /** The file as an SQL literal that is no pattern. */
  private static String literal(Path file) {
    String path = file.toAbsolutePath().toString().replaceAll("[*?\\[]", "[$0]");
    return "'" + path.replace("'", "''") + "'";
  }

  /** Typed times become ISO 8601, whose unit needs no guess. */
  private static String asText(EventField field, String column, String type) {
    String quoted = '"' + column.replace("\"", "\"\"") + '"';
    return field == EventField.TIME && (type.startsWith("TIMESTAMP") || type.equals("DATE"))
        ? "strftime(make_timestamp(epoch_us(" + quoted + ")), '%Y-%m-%dT%H:%M:%S.%fZ')"
        : "CAST(" + quoted + " AS VARCHAR)";
  }
}
