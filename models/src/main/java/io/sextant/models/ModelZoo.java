package io.sextant.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.node.ArrayNode;
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
  public static final List<String> NAMES = List.of("ecommerce", "social", "video");

  private static final TomlMapper TOML =
      TomlMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .build();

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
              .formatted(nameOrFile, NAMES, UnknownKey.suggestion(nameOrFile, NAMES)));
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
   * @param overrides values by dotted key, as {@code twoTower.dimension} to {@code 64}; where there
   *     are several sections of one kind, with the name of the strategy, as {@code
   *     itemNeighbours.cosine.neighbours}; where there is one the name may stand there, too
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
      if (tree instanceof ObjectNode sections) {
        SectionDefaults.fill(sections, where);
      }
      return TOML.treeToValue(tree, Recipe.class);
    } catch (UnrecognizedPropertyException e) {
      Collection<Object> known = e.getKnownPropertyIds();
      List<String> keys = known == null ? List.of() : known.stream().map(Object::toString).toList();
      throw new InvalidInputException(
          UnknownKey.message(where, path(e), e.getPropertyName(), keys), e);
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

  /**
   * The text of a recipe with other values: what a bundle keeps, so that the recipe alone says how
   * it was made. The recipe's own text if there are none.
   *
   * @param overrides as for {@link #parse}
   */
  public static String withOverrides(String toml, Map<String, String> overrides) {
    if (overrides.isEmpty()) {
      return toml;
    }
    try {
      JsonNode tree = TOML.readTree(toml);
      overrides.forEach((key, value) -> override(tree, key, value));
      return TOML.writeValueAsString(tree);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException("a recipe is no TOML: " + e.getOriginalMessage(), e);
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
                throw new InvalidInputException(UnknownKey.message(where, name, name, known));
              }
            });
  }

  private static void override(JsonNode tree, String key, String value) {
    int dot = key.indexOf('.');
    String kind = dot < 0 ? "" : key.substring(0, dot);
    String name = key.substring(dot + 1);
    JsonNode section = tree.get(kind);
    if (section instanceof ArrayNode several) {
      section = null;
      for (JsonNode one : several) {
        if (name.startsWith(prefix(one, kind))) {
          section = one;
          break;
        }
      }
    }
    if (section != null && name.startsWith(prefix(section, kind))) {
      name = name.substring(prefix(section, kind).length());
    }
    while (section instanceof ObjectNode outer && name.indexOf('.') > 0) {
      String group = name.substring(0, name.indexOf('.'));
      section = outer.has(group) ? outer.get(group) : outer.putObject(group);
      name = name.substring(group.length() + 1);
    }
    if (!(section instanceof ObjectNode object)) {
      throw new InvalidInputException(
          "--set %s=%s: write section.key=value with a section of the recipe, or section.name.key=value where there are several"
              .formatted(key, value));
    }
    JsonNode parsed;
    try {
      parsed = TOML.readTree("value = " + value).get("value");
    } catch (JsonProcessingException e) {
      parsed = object.textNode(value); // A bare word is a string.
    }
    object.set(name, parsed);
  }

  /** What an option's name begins with where there are several sections of one kind. */
  private static String prefix(JsonNode section, String kind) {
    return section.path("name").asText(SectionDefaults.nameOf(kind)) + ".";
  }

  private static String path(JsonMappingException e) {
    return e.getPath().stream()
        .map(
            part -> part.getFieldName() == null ? "[" + part.getIndex() + "]" : part.getFieldName())
        .collect(Collectors.joining("."));
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
