package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventReader;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which events a command reads, and how. */
final class EventsOptions {

  private static final String JDBC = "jdbc:";

  @Option(
      names = "--events",
      required = true,
      description = "file of events, or a database as jdbc:...")
  private String events = "";

  @Option(names = "--format", description = "csv, tsv, movielens, pairs, lists, parquet or json")
  private @Nullable String format;

  @Option(names = "--columns", description = "user=...,item=...,time=...,type=...,value=...")
  private @Nullable String columns;

  @Option(
      names = "--query",
      description = "what a database is asked (default: " + JdbcEventReader.DEFAULT_QUERY + ")")
  private @Nullable String query;

  /**
   * The reader of the events.
   *
   * @param usualFormat the format of a file if none was given; null for csv
   */
  EventReader reader(@Nullable String usualFormat) {
    ColumnMapping mapping = columns == null ? ColumnMapping.DEFAULT : ColumnMapping.parse(columns);
    if (events.startsWith(JDBC)) {
      if (format != null) {
        throw new InvalidInputException(
            "--format is of files: leave it out where --events is a database");
      }
      return new JdbcEventReader(
          events, query == null ? JdbcEventReader.DEFAULT_QUERY : query, mapping);
    }
    if (query != null) {
      throw new InvalidInputException(
          "--query is asked of a database: give one as --events jdbc:..., not " + events);
    }
    String name =
        Optional.ofNullable(format).or(() -> Optional.ofNullable(usualFormat)).orElse("csv");
    try {
      return EventFiles.reader(Path.of(events), name, mapping);
    } catch (InvalidPathException e) {
      throw new InvalidInputException("--events is no name of a file: " + e.getMessage(), e);
    }
  }
}
