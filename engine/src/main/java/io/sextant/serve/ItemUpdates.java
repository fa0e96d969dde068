package io.sextant.serve;

import io.sextant.InvalidInputException;
import io.sextant.NewItem;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was changed in items at run time, so that it holds for the next model, too.
 *
 * <p>Thread safety: none; {@link Recommender} guards it.
 */
final class ItemUpdates {

  private static final Logger LOG = LoggerFactory.getLogger(ItemUpdates.class);

  private final Map<String, Update> updates = new LinkedHashMap<>();

  /** All changes of one item. */
  private static final class Update {
    private @Nullable Boolean available;
    private final Map<String, Set<String>> attributes = new LinkedHashMap<>();
    private @Nullable NewItem added;
  }

  void setAvailable(Catalogue catalogue, String itemId, boolean available) {
    catalogue.setAvailable(placeOf(catalogue, itemId), available);
    of(itemId).available = available;
  }

  void setAttributes(Catalogue catalogue, String itemId, Map<String, Set<String>> attributes) {
    catalogue.setAttributes(placeOf(catalogue, itemId), attributes);
    attributes.forEach((name, values) -> of(itemId).attributes.put(name, Set.copyOf(values)));
  }

  void add(Catalogue catalogue, NewItem item) {
    if (catalogue.placeOf(item.itemId()) >= 0) {
      throw new InvalidInputException(
          "item '%s' is there already: set its attributes instead"
              .formatted(Query.shortened(item.itemId())));
    }
    catalogue.add(item);
    of(item.itemId()).added = item;
  }

  private static int placeOf(Catalogue catalogue, String itemId) {
    int place = catalogue.placeOf(itemId);
    if (place < 0) {
      throw new InvalidInputException(
          "the model does not know the item '%s': add it first".formatted(Query.shortened(itemId)));
    }
    return place;
  }

  private Update of(String itemId) {
    return updates.computeIfAbsent(itemId, id -> new Update());
  }

  /** Makes the changes in a new catalogue; those of items that are no more are forgotten. */
  void applyTo(Catalogue catalogue) {
    updates.entrySet().removeIf(entry -> !apply(catalogue, entry.getKey(), entry.getValue()));
  }

  /** Makes the changes in a catalogue beside, as far as it knows the items. */
  void showTo(Catalogue beside) {
    updates.forEach((item, update) -> apply(beside, item, update));
  }

  /** The same with one item's. */
  void showTo(Catalogue beside, String itemId) {
    Update update = updates.get(itemId);
    if (update != null) {
      apply(beside, itemId, update);
    }
  }

  private static boolean apply(Catalogue catalogue, String itemId, Update update) {
    int place = catalogue.placeOf(itemId);
    if (place < 0) {
      if (update.added == null) {
        return false;
      }
      try {
        catalogue.add(update.added);
      } catch (InvalidInputException e) {
        LOG.warn("not in the new model: {}", e.getMessage());
        return false;
      }
      place = catalogue.placeOf(itemId);
    } else if (update.added != null) {
      catalogue.setAttributes(place, update.added.attributes());
    }
    catalogue.setAttributes(place, update.attributes);
    if (update.available != null) {
      catalogue.setAvailable(place, update.available);
    }
    return true;
  }
}
