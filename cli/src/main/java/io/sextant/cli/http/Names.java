package io.sextant.cli.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.InvalidInputException;
import io.sextant.store.ModelBundle;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What people call users and items, for the page: the service itself knows ids only.
 *
 * @param users ids
 * @param items ids
 * @param titles of items that have one
 */
record Names(List<String> users, List<String> items, Map<String, String> titles) {

  private static final String TITLES = "titles.json";
  private static final int FOUND = 20;

  /** An item as the page shows it. */
  record Item(String id, String title) {}

  static Names of(Path folder) {
    try (ModelBundle bundle = ModelBundle.open(folder)) {
      Map<String, String> titles =
          bundle.document(TITLES).map(json -> titles(json, folder)).orElse(Map.of());
      return new Names(List.copyOf(bundle.users()), List.copyOf(bundle.items()), titles);
    }
  }

  private static Map<String, String> titles(String json, Path folder) {
    try {
      return new ObjectMapper().readValue(json, new TypeReference<Map<String, String>>() {});
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          "the titles of bundle %s are no JSON: %s".formatted(folder, e.getOriginalMessage()), e);
    }
  }

  String title(String item) {
    return titles.getOrDefault(item, item);
  }

  /** Some users whose id begins so. */
  List<String> findUsers(String prefix) {
    return users.stream().filter(user -> user.startsWith(prefix)).limit(FOUND).toList();
  }

  /** Some items with this id or with the text in their title. */
  List<Item> findItems(String text) {
    String wanted = text.toLowerCase(Locale.ROOT);
    return Stream.concat(
            items.stream().filter(item -> item.equals(text)),
            items.stream()
                .filter(item -> !item.equals(text))
                .filter(item -> title(item).toLowerCase(Locale.ROOT).contains(wanted)))
        .limit(FOUND)
        .map(item -> new Item(item, title(item)))
        .toList();
  }
}
