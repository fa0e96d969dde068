package io.sextant.cli;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReader;
import io.sextant.data.EventReaders;
import io.sextant.data.Interactions;
import io.sextant.models.WeightSignal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.zip.ZipFile;

/** Real events some of which say more than others, and which of them are what is wanted. */
enum SignalsData {
  /** Ratings of 1 to 5; wanted is 4 and more. */
  ML_100K("ml-100k", 4),
  /** Ratings of 0 to 10; wanted is 8 and more. */
  MOVIETWEETINGS("movietweetings", 8),
  /** Views, carts and purchases without times; wanted is a purchase. */
  RETAILROCKET("retailrocket", Float.NaN);

  private final String title;
  private final float high;

  SignalsData(String title, float high) {
    this.title = title;
    this.high = high;
  }

  /**
   * The set of a name.
   *
   * @throws InvalidInputException if there is none
   */
  static SignalsData parse(String name) {
    for (SignalsData data : values()) {
      if (data.title.equals(name)) {
        return data;
      }
    }
    throw new InvalidInputException(
        "unknown data set '%s'; known: ml-100k, movietweetings, retailrocket".formatted(name));
  }

  /** Whether events are ratings; otherwise they are of several types. */
  boolean rated() {
    return this != RETAILROCKET;
  }

  /** Which rows are what is to be ranked high. */
  IntPredicate wanted(Interactions rows) {
    return rated()
        ? row -> rows.valueAt(row) >= high
        : row -> rows.typeAt(row) == EventType.PURCHASE;
  }

  /** What the policy sees. */
  Set<WeightSignal> signals() {
    return rated()
        ? EnumSet.of(
            WeightSignal.VALUE,
            WeightSignal.VALUE_OF_USER,
            WeightSignal.VALUE_OF_ITEM,
            WeightSignal.AGE,
            WeightSignal.STEPS_BACK,
            WeightSignal.SESSION)
        : EnumSet.of(WeightSignal.TYPE, WeightSignal.ACTIVITY, WeightSignal.TYPES_OF_ITEM);
  }

  /** Reads the folder of the set; every event weighs the same. */
  Interactions read(Path folder) {
    return switch (this) {
      case ML_100K -> clean(ratings(folder.resolve("ml-100k.inter"), EventFormat.TSV));
      case MOVIETWEETINGS -> {
        Path plain = folder.resolve("ratings.dat");
        Path zipped = folder.resolve("ratings.dat.gz");
        yield clean(
            ratings(
                Files.exists(zipped) && !Files.exists(plain) ? zipped : plain,
                EventFormat.MOVIELENS));
      }
      case RETAILROCKET -> clean(stages(folder));
    };
  }

  private static EventReader ratings(Path file, EventFormat format) {
    return EventReaders.open(file, format, ColumnMapping.DEFAULT);
  }

  /** Each pair's last rating counts, and every event of a type. */
  private Interactions clean(EventReader reader) {
    CleaningOptions.Builder options =
        CleaningOptions.builder()
            .duplicates(
                rated()
                    ? CleaningOptions.Duplicates.LAST_OF_PAIR
                    : CleaningOptions.Duplicates.SAME_EVENT);
    for (EventType type : EventType.values()) {
      options.weight(type, 1);
    }
    return new EventCleaner(options.build()).clean(reader).interactions();
  }

  /** The three files of the archive, each a header and then user, item and 1. */
  private static EventReader stages(Path folder) {
    Path archive = folder.resolve("Retailrocket_Ecommerce.zip");
    if (!Files.isRegularFile(archive)) {
      throw new InvalidInputException(
          archive + " does not exist: name the folder that holds it as --data");
    }
    Map<String, EventType> types = new LinkedHashMap<>();
    types.put("view_ecommerce.dat", EventType.VIEW);
    types.put("add_to_cart_ecommerce.dat", EventType.CART);
    types.put("purchase_ecommerce.dat", EventType.PURCHASE);
    List<Event> events = new ArrayList<>();
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      for (Map.Entry<String, EventType> stage : types.entrySet()) {
        String name = "RetailRocket_Ecommerce/" + stage.getKey();
        if (zip.getEntry(name) == null) {
          throw new InvalidInputException(archive + " holds no " + name);
        }
        try (InputStream in = zip.getInputStream(zip.getEntry(name))) {
          int line = 0;
          for (String text :
              new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
            if (line++ > 0) {
              events.add(event(text, stage.getValue(), name + ":" + line));
            }
          }
        }
      }
    } catch (IOException e) {
      throw new InvalidInputException(archive + " cannot be read: " + e.getMessage(), e);
    }
    return EventReaders.of(archive.toString(), events);
  }

  private static Event event(String text, EventType type, String where) {
    String[] fields = text.strip().split("\\s+");
    if (fields.length < 2 || fields[0].isEmpty()) {
      throw new InvalidInputException("%s has no user and item but '%s'".formatted(where, text));
    }
    return Event.of(fields[0], fields[1], type, Event.NO_TIME);
  }

  @Override
  public String toString() {
    return title;
  }
}
