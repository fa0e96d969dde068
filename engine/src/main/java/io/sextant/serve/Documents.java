package io.sextant.serve;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.sextant.InvalidInputException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Reads the documents of a bundle that say more of items than the model knows. */
final class Documents {

  private Documents() {}

  /**
   * Reads a document {@code {"item": {"attribute": "value" or ["value", ...]}}}.
   *
   * @return by item id
   * @throws InvalidInputException if it is no such document
   */
  static Map<String, Map<String, Set<String>>> attributes(String json, String where) {
    return read(
        json,
        where,
        "{\"item\": {\"attribute\": \"value\" or [values]}}",
        item -> {
          Map<String, Set<String>> values = new LinkedHashMap<>();
          for (Map.Entry<String, JsonElement> attribute : item.getAsJsonObject().entrySet()) {
            values.put(attribute.getKey(), values(attribute.getValue()));
          }
          return values;
        });
  }

  private static Set<String> values(JsonElement element) {
    if (!element.isJsonArray()) {
      return Set.of(element.getAsJsonPrimitive().getAsString());
    }
    Set<String> values = new HashSet<>();
    for (JsonElement value : element.getAsJsonArray()) {
      values.add(value.getAsJsonPrimitive().getAsString());
    }
    return values;
  }

  /**
   * Reads a document {@code {"item": "title"}}.
   *
   * @throws InvalidInputException if it is no such document
   */
  static Map<String, String> titles(String json, String where) {
    return read(
        json, where, "{\"item\": \"title\"}", title -> title.getAsJsonPrimitive().getAsString());
  }

  private static <T> Map<String, T> read(
      String json, String where, String form, Function<JsonElement, T> value) {
    Map<String, T> all = new LinkedHashMap<>();
    try {
      JsonObject document = JsonParser.parseString(json).getAsJsonObject();
      for (Map.Entry<String, JsonElement> item : document.entrySet()) {
        all.put(item.getKey(), value.apply(item.getValue()));
      }
      return all;
    } catch (JsonParseException | IllegalStateException | ClassCastException e) {
      throw new InvalidInputException(
          "%s must be %s: %s".formatted(where, form, e.getMessage()), e);
    }
  }
}
