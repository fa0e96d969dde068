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
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.models.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads and cleans the files that a command was given, as a recipe says. */
final class EventFiles {

  private EventFiles() {}

  /** Cleaned events with the features of their users and items, and what is to be said of them. */
  record Loaded(Dataset data, CleaningReport report, List<String> notes) {

    /** What was read, rejected and left out, as lines of text. */
    String summary() {
      StringBuilder text = new StringBuilder(report.summary());
      notes.forEach(note -> text.append("  ").append(note).append(System.lineSeparator()));
      return text.toString();
    }
  }

  static Loaded load(
      Recipe recipe,
      EventReader events,
      @Nullable Path users,
      @Nullable Path items,
      @Nullable Path rejected) {
    Recipe.Data options = recipe.data();
    CleaningOptions.Builder cleaning = CleaningOptions.builder().rejectedFile(rejected);
    Optional.ofNullable(options.minUserEvents()).ifPresent(cleaning::minUserEvents);
    Optional.ofNullable(options.minItemEvents()).ifPresent(cleaning::minItemEvents);
    CleaningResult result = new EventCleaner(cleaning.build()).clean(Progress.whileReading(events));
    Interactions interactions = result.interactions();
    List<String> notes = new ArrayList<>();
    FeatureTable userTable =
        features(
            "userFeatures",
            options.userFeatures(),
            FeatureSpec.movielensUsers(),
            users,
            interactions.users(),
            notes);
    FeatureTable itemTable =
        features(
            "itemFeatures",
            options.itemFeatures(),
            FeatureSpec.movielensMovies(),
            items,
            interactions.items(),
            notes);
    return new Loaded(new Dataset(interactions, userTable, itemTable), result.report(), notes);
  }

  /** Opens events by the name of their format: one of the engine's, parquet or json. */
  static EventReader reader(Path events, String format, ColumnMapping mapping) {
    return switch (format.strip().toLowerCase(Locale.ROOT)) {
      case "parquet" -> new DuckDbEventReader(events, DuckDbEventReader.Format.PARQUET, mapping);
      case "json" -> new DuckDbEventReader(events, DuckDbEventReader.Format.JSON, mapping);
      default -> EventReaders.open(events, EventFormat.parse(format), mapping);
    };
  }

  private static FeatureTable features(
      String key,
      @Nullable String kind,
      FeatureSpec movielens,
      @Nullable Path file,
      IdIndex ids,
      List<String> notes) {
    FeatureSpec spec =
        switch (kind == null ? "header" : kind) {
          case "header" -> FeatureSpec.withHeader(",");
          case "header-tsv" -> FeatureSpec.withHeader("\t");
          case "movielens" -> movielens;
          case "none" -> null;
          default ->
              throw new InvalidInputException(
                  "unknown %s '%s': use movielens, header, header-tsv or none"
                      .formatted(key, kind));
        };
    if (file != null && spec == null) {
      notes.add("%s is not read: the recipe says %s = \"none\"".formatted(file, key));
    }
    if (file == null || spec == null) {
      return FeatureTable.empty(ids.size());
    }
    FeatureReader.Result read = FeatureReader.read(file, ids, spec);
    notes.addAll(read.notes());
    return read.table();
  }
}
