package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IdIndexTest {

  @Test
  void agreesWithAHashMap() {
    for (long seed = 1; seed <= 20; seed++) {
      Random random = new Random(seed);
      Map<String, Integer> oracle = new LinkedHashMap<>();
      IdIndex.Builder builder = IdIndex.builder();
      for (int i = 0; i < 3000; i++) {
        String id = randomId(random);
        int expected = oracle.computeIfAbsent(id, key -> oracle.size());
        assertThat(builder.add(id)).as("seed %d, id %s", seed, id).isEqualTo(expected);
      }
      IdIndex index = builder.build();
      assertThat(index.size()).isEqualTo(oracle.size());
      oracle.forEach(
          (id, number) -> {
            assertThat(index.indexOf(id)).isEqualTo(number);
            assertThat(index.idOf(number)).isEqualTo(id);
          });
      for (int i = 0; i < 1000; i++) {
        String id = randomId(random);
        assertThat(index.indexOf(id))
            .as("seed %d, id %s", seed, id)
            .isEqualTo(oracle.getOrDefault(id, -1));
      }
    }
  }

  private static String randomId(Random random) {
    String alphabet = "ab0é€\uD83D\uDE00 ?";
    int length = 1 + random.nextInt(5);
    StringBuilder id = new StringBuilder();
    for (int i = 0; i < length; i++) {
      int at = alphabet.offsetByCodePoints(0, random.nextInt(8));
      id.appendCodePoint(alphabet.codePointAt(at));
    }
    return id.toString();
  }

  @Test
  void equalityAndHashFollowTheContentAndItsOrder() {
    IdIndex one = IdIndex.of(List.of("a", "bc"));
    IdIndex same = IdIndex.of(List.of("a", "bc"));
    IdIndex otherOrder = IdIndex.of(List.of("bc", "a"));
    IdIndex otherCut = IdIndex.of(List.of("ab", "c"));

    assertThat(one).isEqualTo(same).hasSameHashCodeAs(same);
    assertThat(one.contentHash()).isEqualTo(same.contentHash()).hasSize(64);
    assertThat(one).isNotEqualTo(otherOrder).isNotEqualTo(otherCut);
    assertThat(one.contentHash())
        .isNotEqualTo(otherOrder.contentHash())
        .isNotEqualTo(otherCut.contentHash());
  }

  @Test
  void theContentHashDoesNotChangeBetweenProcesses() {
    // printf '\0\0\0\1a\0\0\0\2bc' | sha256sum
    assertThat(IdIndex.of(List.of("a", "bc")).contentHash())
        .isEqualTo("b534ce16ac9c8b36823f39a395ce8e0e3c7ad9605b82b5444f18cadacd217a5d");
  }

  @Test
  void aBuilderCanGoOnAfterItBuilt() {
    IdIndex.Builder builder = IdIndex.builder();
    builder.add("a");
    IdIndex before = builder.build();
    for (int i = 0; i < 1000; i++) {
      builder.add("b" + i);
    }
    assertThat(before.size()).isEqualTo(1);
    assertThat(before.indexOf("b0")).isEqualTo(-1);
    assertThat(builder.build().indexOf("b999")).isEqualTo(1000);
    assertThat(builder.indexOf("a")).isZero();
  }

  @Test
  void anEmptyIndexKnowsNothing() {
    assertThat(IdIndex.empty().size()).isZero();
    assertThat(IdIndex.empty().indexOf("a")).isEqualTo(-1);
    assertThatThrownBy(() -> IdIndex.empty().idOf(0)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void refusesWhatIsNoId() {
    assertThatThrownBy(() -> IdIndex.of(List.of("a", "b", "a")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'a'")
        .hasMessageContaining("at 0 and at 2");
    assertThatThrownBy(() -> IdIndex.of(List.of(""))).isInstanceOf(InvalidInputException.class);
    // Encoded as '?' it would be taken for another id.
    assertThatThrownBy(() -> IdIndex.of(List.of("x\uD83D")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("surrogate");
    assertThat(IdIndex.of(List.of("x?")).indexOf("x\uD83D")).isEqualTo(-1);
  }

  @Test
  void outOfRangeIsNoSilentNonsense() {
    IdIndex index = IdIndex.of(List.of("a", "b"));
    assertThatThrownBy(() -> index.idOf(2)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> index.idOf(-1)).isInstanceOf(IndexOutOfBoundsException.class);
  }
}
