package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventAssembler;
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
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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
      Map<EventField, Integer> columns = mapping.resolve(names, name());
      List<EventField> fields = List.copyOf(columns.keySet());
      List<String> texts = new ArrayList<>();
      for (Map.Entry<EventField, Integer> column : columns.entrySet()) {
        int index = column.getValue();
        texts.add(asText(column.getKey(), names.get(index), types.get(index)));
      }
      try (ResultSet rows = statement.executeQuery("SELECT " + String.join(", ", texts) + from)) {
        rows(rows, fields, sink);
      }
    } catch (SQLException e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new InvalidInputException(
          "%s cannot be read as %s: %s"
              .formatted(name(), format.name().toLowerCase(Locale.ROOT), message),
          e);
    }
  }

  private void rows(ResultSet rows, List<EventField> columns, EventSink sink) throws SQLException {
    EventAssembler assembler = new EventAssembler(sink, name(), mapping, EnumSet.copyOf(columns));
    long line = 0;
    while (rows.next()) {
      @Nullable String[] fields = new @Nullable String[EventField.COUNT];
      for (int i = 0; i < columns.size(); i++) {
        fields[columns.get(i).slot()] = rows.getString(i + 1);
      }
      assembler.row(++line, fields, () -> raw(columns, fields));
    }
    if (line == 0) {
      throw new InvalidInputException(name() + " is empty: there is nothing to read");
    }
    assembler.finish();
  }

  private static String raw(List<EventField> columns, @Nullable String[] fields) {
    return columns.stream()
        .map(column -> column.key() + "=" + fields[column.slot()])
        .collect(Collectors.joining(","));
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
