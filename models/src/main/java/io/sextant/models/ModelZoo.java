package io.sextant.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import io.sextant.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Recipes by name or file, and the bundled sample.
 *
 * <p>Thread safety: safe.
 */
public final class ModelZoo {

  /** The recipes that come with Sextant. */
  public static final List<String> NAMES = List.of("video");

  private static final TomlMapper TOML =
      TomlMapper.builder().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private ModelZoo() {}

  /**
   * The text of a recipe: one of {@link #NAMES}, or a file.
   *
   * @throws InvalidInputException if there is neither
   */
  public static String text(String nameOrFile) {
    if (NAMES.contains(nameOrFile)) {
      return resource("recipes/" + nameOrFile + ".toml");
    }
    Path file = Path.of(nameOrFile);
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(
          "there is no recipe '%s', neither a file nor one of %s%s"
              .formatted(nameOrFile, NAMES, suggestion(nameOrFile, NAMES)));
    }
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new InvalidInputException("recipe " + file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Reads a recipe.
   *
   * @param toml its text
   * @param where its name, for messages
   * @param overrides values by dotted key, as {@code twoTower.dimension} to {@code 64}
   * @throws InvalidInputException if a key is unknown (the nearest is suggested) or a value is not
   *     of its kind
   */
  public static Recipe parse(String toml, String where, Map<String, String> overrides) {
    try {
      JsonNode tree = TOML.readTree(toml);
      for (Map.Entry<String, String> override : overrides.entrySet()) {
        override(tree, override.getKey(), override.getValue());
      }
      checkSections(tree, where);
      return TOML.treeToValue(tree, Recipe.class);
    } catch (UnrecognizedPropertyException e) {
      Collection<Object> known = e.getKnownPropertyIds();
      List<String> keys = known == null ? List.of() : known.stream().map(Object::toString).toList();
      throw new InvalidInputException(unknown(where, path(e), e.getPropertyName(), keys), e);
    } catch (JsonMappingException e) {
      if (e.getCause() instanceof InvalidInputException invalid) {
        throw new InvalidInputException("recipe " + where + ": " + invalid.getMessage(), e);
      }
      throw new InvalidInputException(
          "recipe %s: key '%s': %s".formatted(where, path(e), e.getOriginalMessage()), e);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          "recipe %s is no TOML: %s".formatted(where, e.getOriginalMessage()), e);
    }
  }

  /** Copies the bundled MovieTweetings sample into a folder: ratings.dat.gz and movies.dat.gz. */
  public static void copySample(Path folder) {
    for (String name : List.of("ratings.dat.gz", "movies.dat.gz", "LICENSE")) {
      try (InputStream in = open("movietweetings/" + name)) {
        Files.copy(in, folder.resolve(name));
      } catch (IOException e) {
        throw new InvalidInputException(
            "the sample cannot be copied to " + folder + ": " + e.getMessage(), e);
      }
    }
  }

  /** A misspelt section must not read as a recipe without strategies. */
  private static void checkSections(JsonNode tree, String where) {
    List<String> known =
        Arrays.stream(Recipe.class.getRecordComponents()).map(RecordComponent::getName).toList();
    tree.fieldNames()
        .forEachRemaining(
            name -> {
              if (!known.contains(name)) {
                throw new InvalidInputException(unknown(where, name, name, known));
              }
            });
  }

  private static String unknown(String where, String path, String key, List<String> known) {
    return "recipe %s: unknown key '%s'%s; known here: %s"
        .formatted(
            where,
            path,
            suggestion(key, known),
            known.stream().sorted().collect(Collectors.joining(", ")));
  }

  private static void override(JsonNode tree, String key, String value) {
    int dot = key.indexOf('.');
    JsonNode section = dot < 0 ? null : tree.get(key.substring(0, dot));
    if (!(section instanceof ObjectNode object)) {
      throw new InvalidInputException(
          "--set %s=%s: write section.key=value with a section of the recipe"
              .formatted(key, value));
    }
    String name = key.substring(dot + 1);
    JsonNode parsed;
    try {
      parsed = TOML.readTree("value = " + value).get("value");
    } catch (JsonProcessingException e) {
      parsed = object.textNode(value); // A bare word is a string.
    }
    object.set(name, parsed);
  }

  private static String path(JsonMappingException e) {
    return e.getPath().stream()
        .map(
            part -> part.getFieldName() == null ? "[" + part.getIndex() + "]" : part.getFieldName())
        .collect(Collectors.joining("."));
  }

  private static String suggestion(String word, Collection<String> known) {
    return known.stream()
        .min(Comparator.comparingInt(k -> distance(word, k)))
        .filter(k -> distance(word, k) <= Math.max(2, word.length() / 3))
        .map(k -> ": did you mean '" + k + "'?")
        .orElse("");
  }

  /** Levenshtein's distance, ignoring case. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        boolean same =
            Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
        int next = Math.min(Math.min(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1));
        diagonal = row[j];
        row[j] = next;
      }
    }
    return row[b.length()];
  }

  private static String resource(String name) {
    try (InputStream in = open(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new InvalidInputException("resource " + name + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static InputStream open(String name) {
    InputStream in = ModelZoo.class.getResourceAsStream(name);
    if (in == null) {
      throw new InvalidInputException("resource " + name + " is not in this jar: build it again");
    }
    return in;
  }
}
