package io.sextant.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackedSequencesTest {

  @Test
  void theExampleOfTheDocumentation() {
    int[][] sequences = {
      {1, 1}, {2, 2, 2, 2, 2, 2, 2, 2}, {3, 3, 3}, {4}, {5, 5, 5, 5, 5}, {6, 6, 6}
    };
    PackedSequences packed = new PackedSequences(sequences);
    assertThat(packed.numTokens()).isEqualTo(3 * 8);
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            SequenceInput input = packed.input(scope.manager());
            assertThat(input.rows()).isEqualTo(3);
            assertThat(input.length()).isEqualTo(8);
            assertThat(input.items().toLongArray())
                .containsExactly(
                    2, 2, 2, 2, 2, 2, 2, 2, 5, 5, 5, 5, 5, 3, 3, 3, 6, 6, 6, 1, 1, 4, 0, 0);
            assertThat(input.positions().toLongArray())
                .containsExactly(
                    7, 6, 5, 4, 3, 2, 1, 0, 4, 3, 2, 1, 0, 2, 1, 0, 2, 1, 0, 1, 0, 0, 0, 0);
            assertThat(Arrays.copyOf(input.distances().toLongArray(), 2 * 8 + 3))
                .startsWith(0, 0, 0)
                .endsWith(2, 1, 0);
          }
        });
    assertThat(packed.lastTokens()).containsExactly(20, 7, 15, 21, 12, 18);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void everyTokenHasItsPlaceAndSeesItsOwnPast(long seed) {
    Random random = new Random(seed);
    int[][] sequences = new int[1 + random.nextInt(60)][];
    for (int s = 0; s < sequences.length; s++) {
      sequences[s] = new int[1 + (int) (12 * Math.pow(random.nextDouble(), 3))];
      Arrays.setAll(sequences[s], i -> random.nextInt(100));
    }
    PackedSequences packed = new PackedSequences(sequences);
    int tokens = packed.numTokens();
    int[] owner = new int[tokens];
    Arrays.fill(owner, -1);
    int used = 0;
    for (int s = 0; s < sequences.length; s++) {
      for (int i = 0; i < sequences[s].length; i++) {
        assertThat(owner[packed.start(s) + i]).as("seed %d", seed).isEqualTo(-1);
        owner[packed.start(s) + i] = s;
        used++;
      }
    }
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            SequenceInput input = packed.input(scope.manager());
            int length = input.length();
            float[] mask = HostArrays.toFloats(input.mask());
            for (int token = 0; token < tokens; token++) {
              for (int column = 0; column < length; column++) {
                int other = token - token % length + column;
                boolean visible =
                    other == token
                        || (owner[token] >= 0 && owner[other] == owner[token] && other < token);
                assertThat(mask[token * length + column])
                    .as("seed %d, token %d, column %d", seed, token, column)
                    .isEqualTo(visible ? 0 : Float.NEGATIVE_INFINITY);
              }
            }
          }
        });
    // All rows but one are more than half full, else two of them would have been one.
    assertThat(tokens - longest(sequences)).as("seed %d", seed).isLessThan(2 * used);
  }

  @Test
  void nothingToPackIsRefused() {
    assertThatThrownBy(() -> new PackedSequences(new int[][] {{1}, {}}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new PackedSequences(new int[0][]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static int longest(int[][] sequences) {
    return Arrays.stream(sequences).mapToInt(s -> s.length).max().orElseThrow();
  }
}
