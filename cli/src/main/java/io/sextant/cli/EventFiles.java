package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.CleaningReport;
import io.sextant.data.CleaningResult;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReader;
import io.sextant.data.EventReaders;
import io.sextant.data.FeatureReader;
import io.sextant.data.FeatureSpec;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import io.sextant.models.Recipe;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads and cleans the files that a command was given, as a recipe says. */
final class EventFiles {

  private EventFiles() {}

  /** Cleaned events with the features of their items. */
  record Loaded(Dataset data, CleaningReport report) {}

  static Loaded load(
      Recipe recipe,
      Path events,
      @Nullable Path items,
      @Nullable String format,
      @Nullable String columns,
      @Nullable Path rejected) {
    Recipe.Data options = recipe.data();
    String name =
        Optional.ofNullable(format).or(() -> Optional.ofNullable(options.format())).orElse("csv");
    CleaningOptions.Builder cleaning = CleaningOptions.builder().rejectedFile(rejected);
    Optional.ofNullable(options.minUserEvents()).ifPresent(cleaning::minUserEvents);
    Optional.ofNullable(options.minItemEvents()).ifPresent(cleaning::minItemEvents);
    ColumnMapping mapping = columns == null ? ColumnMapping.DEFAULT : ColumnMapping.parse(columns);
    CleaningResult result = new EventCleaner(cleaning.build()).clean(reader(events, name, mapping));
    Interactions interactions = result.interactions();
    FeatureTable itemTable =
        items == null || "none".equals(options.itemFeatures())
            ? FeatureTable.empty(interactions.numItems())
            : FeatureReader.read(items, interactions.items(), spec(options.itemFeatures())).table();
    return new Loaded(
        new Dataset(interactions, FeatureTable.empty(interactions.numUsers()), itemTable),
        result.report());
  }

  /** Opens events by the name of their format: one of the engine's, parquet or json. */
  static EventReader reader(Path events, String format, ColumnMapping mapping) {
    return switch (format.strip().toLowerCase(Locale.ROOT)) {
      case "parquet" -> new DuckDbEventReader(events, DuckDbEventReader.Format.PARQUET, mapping);
      case "json" -> new DuckDbEventReader(events, DuckDbEventReader.Format.JSON, mapping);
      default -> EventReaders.open(events, EventFormat.parse(format), mapping);
    };
  }

  private static FeatureSpec spec(@Nullable String name) {
    if (name == null || name.equals("header")) {
      return FeatureSpec.withHeader(",");
    }
    return switch (name) {
      case "movielens" -> FeatureSpec.movielensMovies();
      case "header-tsv" -> FeatureSpec.withHeader("\t");
      default ->
          throw new InvalidInputException(
              "unknown itemFeatures '" + name + "': use movielens, header, header-tsv or none");
    };
  }
}
