package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.AttributeFilter;
import io.sextant.InvalidInputException;
import io.sextant.NewItem;
import io.sextant.data.IdIndex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

class CatalogueTest {

  private static final int ITEMS = 150;
  private static final int SPARE = 20;
  private static final List<List<AttributeFilter>> FILTERS =
      List.of(
          List.of(),
          List.of(AttributeFilter.in("a", "x")),
          List.of(AttributeFilter.notIn("a", "x", "y")),
          List.of(AttributeFilter.in("a", "x", "z"), AttributeFilter.in("b", "1")),
          List.of(AttributeFilter.in("nothing", "x")),
          List.of(AttributeFilter.notIn("nothing", "x")),
          List.of(AttributeFilter.in("a")));

  private static Catalogue catalogue() {
    return new Catalogue(IdIndex.of(FakeModel.ids("i", ITEMS)), SPARE, (slot, kin, weights) -> {});
  }

  /** What a catalogue knows, item by item. */
  private static final class Naive {
    private final Map<String, Map<String, Set<String>>> attributes = new HashMap<>();
    private final Set<String> off = new HashSet<>();
    private final List<String> ids = new ArrayList<>(FakeModel.ids("i", ITEMS));

    boolean isHidden(String id, List<AttributeFilter> filters) {
      boolean hidden = off.contains(id);
      for (AttributeFilter filter : filters) {
        Set<String> values =
            attributes.getOrDefault(id, Map.of()).getOrDefault(filter.attribute(), Set.of());
        hidden |= values.stream().anyMatch(filter.values()::contains) == filter.negated();
      }
      return hidden;
    }

    void assertAgrees(Catalogue catalogue, List<AttributeFilter> filters, String where) {
      long[] mask = catalogue.mask(filters);
      for (int place = 0; place < ITEMS + SPARE; place++) {
        boolean hidden = (mask[place / 64] & (1L << place)) != 0;
        boolean expected = place >= ids.size() || isHidden(ids.get(place), filters);
        assertThat(hidden).as("%s, %s, place %d", where, filters, place).isEqualTo(expected);
      }
    }
  }

  @Test
  void masksFollowAllChanges() {
    for (long seed = 1; seed <= 4; seed++) {
      Random random = new Random(seed);
      Catalogue catalogue = catalogue();
      Naive naive = new Naive();
      for (int round = 0; round < 60; round++) {
        // Now and then more changes than are remembered.
        int changes = round % 20 == 19 ? 1500 : random.nextInt(40);
        for (int i = 0; i < changes; i++) {
          change(random, catalogue, naive);
        }
        for (List<AttributeFilter> filters : FILTERS) {
          if (random.nextBoolean()) {
            naive.assertAgrees(catalogue, filters, "seed %d, round %d".formatted(seed, round));
          }
        }
      }
      assertThat(naive.ids).hasSize(ITEMS + SPARE);
    }
  }

  private static void change(Random random, Catalogue catalogue, Naive naive) {
    String id = naive.ids.get(random.nextInt(naive.ids.size()));
    switch (random.nextInt(4)) {
      case 0 -> {
        boolean available = random.nextBoolean();
        catalogue.setAvailable(catalogue.placeOf(id), available);
        if (available) {
          naive.off.remove(id);
        } else {
          naive.off.add(id);
        }
      }
      case 1, 2 -> {
        String name = random.nextBoolean() ? "a" : "b";
        Set<String> values = new HashSet<>();
        for (String value : List.of("x", "y", "z", "1", "v" + random.nextInt(3))) {
          if (random.nextInt(3) == 0) {
            values.add(value);
          }
        }
        catalogue.setAttributes(catalogue.placeOf(id), Map.of(name, values));
        naive.attributes.computeIfAbsent(id, i -> new HashMap<>()).put(name, values);
      }
      default -> {
        if (naive.ids.size() < ITEMS + SPARE) {
          String fresh = "new" + naive.ids.size();
          Map<String, Set<String>> values = Map.of("a", Set.of("x"));
          catalogue.add(new NewItem(fresh, values, List.of("i0", "unknown")));
          naive.ids.add(fresh);
          naive.attributes.put(fresh, new HashMap<>(values));
        }
      }
    }
  }

  @Test
  void aMaskThatASearchReadsIsNeverWritten() {
    Catalogue catalogue = catalogue();
    long[] before = catalogue.mask(List.of());
    long[] copy = before.clone();
    catalogue.setAvailable(3, false);
    assertThat(catalogue.mask(List.of())).isNotEqualTo(copy);
    assertThat(before).isEqualTo(copy);
  }

  @Test
  void kinAreTheMostAlikeByRareAttributes() {
    Queue<String> placed = new ConcurrentLinkedQueue<>();
    Catalogue catalogue =
        new Catalogue(
            IdIndex.of(FakeModel.ids("i", ITEMS)),
            SPARE,
            (slot, kin, weights) ->
                placed.add(slot + Arrays.toString(kin) + Arrays.toString(weights)));
    for (int item = 0; item < ITEMS; item++) {
      catalogue.setAttributes(item, Map.of("common", Set.of("all")));
    }
    catalogue.setAttributes(7, Map.of("rare", Set.of("r")));
    catalogue.setAttributes(9, Map.of("rare", Set.of("r", "s")));
    catalogue.add(NewItem.of("n", Map.of("rare", Set.of("r"), "other", Set.of("?"))));
    // With weights w(v) = ln(151 / n(v)): of 7 rare r and common, of 9 also s.
    double common = Math.pow(Math.log(151.0 / 150), 2);
    double r = Math.pow(Math.log(151.0 / 2), 2);
    double s = Math.pow(Math.log(151.0), 2);
    double seven = r / Math.sqrt(r * (r + common));
    double nine = r / Math.sqrt(r * (r + s + common));
    assertThat(placed)
        .containsExactly(
            "0[7, 9]"
                + Arrays.toString(
                    new float[] {
                      (float) (seven / (seven + nine)), (float) (nine / (seven + nine))
                    }));
    assertThat(catalogue.knownAs("n")).isEqualTo(7);
    assertThat(catalogue.placeOf("n")).isEqualTo(ITEMS);
    assertThat(catalogue.idOf(ITEMS)).isEqualTo("n");
    assertThat(catalogue.knownAs("i5")).isEqualTo(5);
    assertThat(catalogue.knownAs("nothing")).isEqualTo(-1);
    assertThat(catalogue.size()).isEqualTo(ITEMS + 1);
  }

  @Test
  void documentsThatAreNoneAreRefused() {
    assertThat(Documents.attributes("{\"i\": {\"a\": \"x\", \"b\": [\"y\", 3]}}", "f"))
        .isEqualTo(Map.of("i", Map.of("a", Set.of("x"), "b", Set.of("y", "3"))));
    assertThat(Documents.titles("{\"i\": \"One\"}", "f")).isEqualTo(Map.of("i", "One"));
    for (String bad :
        List.of(
            "", "[]", "{\"i\": 3}", "{\"i\": {\"a\": {}}}", "{\"i\": {\"a\": [[]]}}", "{\"i\"")) {
      assertThatThrownBy(() -> Documents.attributes(bad, "attributes.json"))
          .as(bad)
          .isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith("attributes.json must be ");
    }
    for (String bad : List.of("[]", "{\"i\": null}", "{\"i\": {}}", "3")) {
      assertThatThrownBy(() -> Documents.titles(bad, "titles.json"))
          .as(bad)
          .isInstanceOf(InvalidInputException.class);
    }
  }
}
