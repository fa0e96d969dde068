package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.CleaningReport;
import io.sextant.data.CleaningResult;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReaders;
import io.sextant.data.FeatureReader;
import io.sextant.data.FeatureSpec;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import io.sextant.models.Recipe;
import java.nio.file.Path;
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
    CleaningResult result =
        new EventCleaner(cleaning.build())
            .clean(EventReaders.open(events, EventFormat.parse(name), mapping));
    Interactions interactions = result.interactions();
    FeatureTable itemTable =
        items == null
            ? FeatureTable.empty(interactions.numItems())
            : FeatureReader.read(items, interactions.items(), spec(options.itemFeatures())).table();
    return new Loaded(
        new Dataset(interactions, FeatureTable.empty(interactions.numUsers()), itemTable),
        result.report());
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
              "unknown itemFeatures '" + name + "': use movielens, header or header-tsv");
    };
  }
}
