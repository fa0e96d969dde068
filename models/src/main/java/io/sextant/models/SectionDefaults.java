package io.sextant.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sextant.InvalidInputException;
import io.sextant.meta.MetaOptions;
import io.sextant.strategy.Als;
import io.sextant.strategy.ContentNeighbours;
import io.sextant.strategy.ContentVectors;
import io.sextant.strategy.Ease;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.SequenceStrategy;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.UserNeighbours;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Fills a recipe's sections in: what a section leaves out is the engine's default. So a recipe has
 * every option of a strategy, under the name that it has in the engine, and no list of them is kept
 * here.
 *
 * <p>Options that the engine groups (shape, sampling and training of a sequence model) are written
 * without the group. The seed is no key: it comes from the command line.
 */
final class SectionDefaults {

  private static final String SEED = "seed";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Sections of strategies of which there may be several. */
  private static final Map<String, ObjectNode> STRATEGIES =
      Map.of(
          "popularity", tree(Popularity.allTime()),
          "itemNeighbours", tree(ItemNeighbours.rp3beta()),
          "transitions", tree(SessionTransitions.wide()),
          "userNeighbours", tree(UserNeighbours.nearest()),
          "content", tree(ContentNeighbours.attributes()),
          "contentVectors", tree(ContentVectors.cosine()),
          "als", tree(Als.builder().build()),
          "ease", tree(Ease.builder().build()),
          "lowPass", tree(LowPass.builder().build()),
          "sequence", tree(SequenceStrategy.standard()));

  /** Sections of which there is one. */
  private static final Map<String, ObjectNode> SINGLE =
      Map.of(
          "meta", tree(MetaOptions.builder().build()),
          "weights", tree(WeightsSection.defaults()),
          "rates", tree(RatesSection.defaults()));

  private SectionDefaults() {}

  /**
   * Replaces the sections of a recipe by complete ones; those of strategies become lists.
   *
   * @param where the recipe's name, for messages
   */
  static void fill(ObjectNode recipe, String where) {
    STRATEGIES.forEach(
        (name, defaults) -> {
          JsonNode given = recipe.get(name);
          if (given != null) {
            recipe.set(name, filled(given, name, defaults, where));
          }
        });
    SINGLE.forEach(
        (name, defaults) -> {
          if (recipe.get(name) instanceof ObjectNode given) {
            recipe.set(name, filledOne(given, name, defaults, where));
          }
        });
  }

  /** The name of the strategy of a section that gives none. */
  static String nameOf(String section) {
    ObjectNode defaults = STRATEGIES.get(section);
    return defaults == null ? "" : defaults.path("name").asText();
  }

  private static ArrayNode filled(JsonNode given, String name, ObjectNode defaults, String where) {
    ArrayNode all = JSON.createArrayNode();
    for (JsonNode one : given instanceof ArrayNode array ? array : List.of(given)) {
      if (!(one instanceof ObjectNode section)) {
        throw new InvalidInputException(
            "recipe %s: '%s' is no section: write [%s], or [[%s]] for each of several"
                .formatted(where, name, name, name));
      }
      all.add(filledOne(section, name, defaults, where));
    }
    return all;
  }

  private static ObjectNode filledOne(
      ObjectNode given, String name, ObjectNode defaults, String where) {
    ObjectNode section = defaults.deepCopy();
    given
        .properties()
        .forEach(
            option -> {
              ObjectNode group = groupOf(section, option.getKey());
              if (group == null || option.getKey().equals(SEED)) {
                throw new InvalidInputException(
                    UnknownKey.message(
                        where, name + "." + option.getKey(), option.getKey(), keys(defaults)));
              }
              merge(group, option.getKey(), option.getValue());
            });
    return section;
  }

  /** Where an option stands: in the section itself, or in one of its groups. */
  private static @Nullable ObjectNode groupOf(ObjectNode section, String option) {
    if (section.has(option)) {
      return section;
    }
    for (JsonNode value : section) {
      if (value instanceof ObjectNode group && isGroup(group) && group.has(option)) {
        return group;
      }
    }
    return null;
  }

  /** The weights of a history are one option with three numbers, not a group of options. */
  private static boolean isGroup(ObjectNode value) {
    return !value.has("maxLength");
  }

  private static List<String> keys(ObjectNode defaults) {
    List<String> keys = new ArrayList<>();
    defaults
        .properties()
        .forEach(
            option -> {
              if (option.getValue() instanceof ObjectNode group && isGroup(group)) {
                group.fieldNames().forEachRemaining(keys::add);
              } else {
                keys.add(option.getKey());
              }
            });
    keys.remove(SEED);
    return keys;
  }

  private static void merge(ObjectNode into, String key, JsonNode value) {
    if (value instanceof ObjectNode object && into.get(key) instanceof ObjectNode present) {
      object.properties().forEach(part -> merge(present, part.getKey(), part.getValue()));
    } else {
      into.set(key, value);
    }
  }

  private static ObjectNode tree(Object options) {
    return JSON.valueToTree(options);
  }
}
