package io.sextant.cli;

import io.sextant.data.ColumnMapping;
import io.sextant.data.EventAssembler;
import io.sextant.data.EventField;
import io.sextant.data.EventSink;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The rows of an SQL result as events; a line is the row's number, from 1. Everything is read as
 * text but typed times, which become ISO 8601, whose unit needs no guess; a time without a zone is
 * taken for UTC.
 */
final class ResultRows {

  /** How a column of times is asked for. */
  private enum Time {
    TEXT,
    ZONED,
    LOCAL,
    DATE
  }

  private final ResultSet rows;
  private final List<EventField> fields;
  private final int[] columns;
  private final Time time;

  /**
   * The rows of a result.
   *
   * @param places where each field stands, from 0
   */
  ResultRows(ResultSet rows, Map<EventField, Integer> places) throws SQLException {
    this.rows = rows;
    fields = List.copyOf(places.keySet());
    columns = places.values().stream().mapToInt(place -> place + 1).toArray();
    Integer timePlace = places.get(EventField.TIME);
    time = timePlace == null ? Time.TEXT : timeOf(rows.getMetaData(), timePlace + 1);
  }

  private static Time timeOf(ResultSetMetaData meta, int column) throws SQLException {
    // PostgreSQL's timestamptz and SQL Server's datetimeoffset do not tell by their JDBC type.
    String name = String.valueOf(meta.getColumnTypeName(column)).toLowerCase(Locale.ROOT);
    if (name.contains("timestamptz")
        || name.contains("with time zone")
        || name.contains("datetimeoffset")) {
      return Time.ZONED;
    }
    return switch (meta.getColumnType(column)) {
      case Types.TIMESTAMP_WITH_TIMEZONE -> Time.ZONED;
      case Types.TIMESTAMP -> Time.LOCAL;
      case Types.DATE -> Time.DATE;
      default -> Time.TEXT;
    };
  }

  /** Pushes all rows and says how many there were. */
  long push(String name, ColumnMapping mapping, EventSink sink) throws SQLException {
    EventAssembler assembler = new EventAssembler(sink, name, mapping, EnumSet.copyOf(fields));
    long line = 0;
    while (rows.next()) {
      @Nullable String[] texts = new @Nullable String[EventField.COUNT];
      for (int i = 0; i < columns.length; i++) {
        EventField field = fields.get(i);
        texts[field.slot()] =
            field == EventField.TIME ? timeText(columns[i]) : rows.getString(columns[i]);
      }
      assembler.row(++line, texts, () -> raw(texts));
    }
    assembler.finish();
    return line;
  }

  private @Nullable String timeText(int column) throws SQLException {
    try {
      switch (time) {
        case ZONED -> {
          OffsetDateTime value = rows.getObject(column, OffsetDateTime.class);
          return value == null ? null : value.toInstant().toString();
        }
        case LOCAL -> {
          LocalDateTime value = rows.getObject(column, LocalDateTime.class);
          return value == null ? null : value.toInstant(ZoneOffset.UTC).toString();
        }
        case DATE -> {
          LocalDate value = rows.getObject(column, LocalDate.class);
          return value == null ? null : value.atStartOfDay(ZoneOffset.UTC).toInstant().toString();
        }
        case TEXT -> {
          return rows.getString(column);
        }
      }
    } catch (SQLException e) {
      // Some drivers (SQLite's) hold numbers or text in columns that are declared as times.
      return rows.getString(column);
    }
    throw new IllegalStateException("no way to read " + time);
  }

  private String raw(@Nullable String[] texts) {
    return fields.stream()
        .map(field -> field.key() + "=" + texts[field.slot()])
        .collect(Collectors.joining(","));
  }
}
