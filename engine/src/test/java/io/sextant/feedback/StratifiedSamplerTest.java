package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StratifiedSamplerTest {

  private static final int DRAWS = 20_000;

  @Test
  void candidatesAreDealtForthAndBack() {
    // Without exploration to speak of, the slate is the order of the scores.
    double[] scores = {1, 7, 3, 5, 2, 6, 4};
    StratifiedSampler cold = new StratifiedSampler(3, 7, 1e-3, 0);
    assertThat(cold.draw(scores, 1, 1).items()).containsExactly(1, 5, 3);
    // With equal scores every candidate of a stratum has the same chance: strata of 2, 2 and 3
    // positions of ranks 0, 5, 6 | 1, 4 | 2, 3.
    StratifiedSampler hot = new StratifiedSampler(3, 7, 1, 1);
    double[] shown = hot.firstPropensities(scores);
    double[] byRank = {1 / 3.0, 1 / 2.0, 1 / 2.0, 1 / 2.0, 1 / 2.0, 1 / 3.0, 1 / 3.0};
    int[] ranks = Softmax.bestFirst(scores);
    for (int rank = 0; rank < ranks.length; rank++) {
      assertThat(shown[ranks[rank]]).isCloseTo(byRank[rank], within(1e-12));
    }
    // Whoever is outside of the pool is never shown.
    assertThat(new StratifiedSampler(3, 6, 1, 1).firstPropensities(scores)[0]).isZero();
  }

  @Test
  void slotsAreIndependentAndDrawAsTheySay() {
    double[] scores = {2, 1.5, 1, 0.5, 0, -0.5};
    StratifiedSampler sampler = new StratifiedSampler(2, 6, 1.2, 0.1);
    double[] shown = sampler.firstPropensities(scores);
    assertThat(Arrays.stream(shown).sum()).isCloseTo(2, within(1e-12));
    double[] counts = new double[scores.length];
    double[][] pairs = new double[scores.length][scores.length];
    for (int i = 0; i < DRAWS; i++) {
      SlateDraw draw = sampler.draw(scores, 9, i);
      int[] items = draw.items();
      assertThat(draw.propensities()).containsExactly(sampler.propensities(scores, items));
      assertThat(draw.propensities()[0]).isEqualTo(shown[items[0]]);
      counts[items[0]]++;
      counts[items[1]]++;
      pairs[items[0]][items[1]]++;
    }
    for (int a = 0; a < scores.length; a++) {
      // Five standard errors.
      assertThat(counts[a] / DRAWS)
          .isCloseTo(shown[a], within(5 * Math.sqrt(shown[a] * (1 - shown[a]) / DRAWS)));
      for (int b = 0; b < scores.length; b++) {
        if (pairs[a][b] > 0) {
          double both = shown[a] * shown[b];
          assertThat(pairs[a][b] / DRAWS)
              .isCloseTo(both, within(5 * Math.sqrt(both * (1 - both) / DRAWS)));
        }
      }
    }
  }

  @Test
  void aSlateHasDifferentItems() {
    double[] scores = IntStream.range(0, 23).mapToDouble(i -> i % 5).toArray();
    StratifiedSampler sampler = new StratifiedSampler(5, 20, 0.7, 0.3);
    for (int i = 0; i < 500; i++) {
      Set<Integer> seen = new HashSet<>();
      for (int item : sampler.draw(scores, 2, i).items()) {
        assertThat(seen.add(item)).isTrue();
      }
      assertThat(sampler.draw(scores, 2, i).items())
          .containsExactly(sampler.draw(scores, 2, i).items());
    }
    assertThat(sampler.draw(new double[] {1, 2, 3}, 2, 1).items()).containsExactly(2, 1, 0);
  }

  @Test
  void refusesWhatCannotBeDrawn() {
    assertThatThrownBy(() -> new StratifiedSampler(3, 2, 1, 0))
        .hasMessageContaining("a pool >= slots but had 3 and 2");
    StratifiedSampler sampler = new StratifiedSampler(2, 4, 1, 0.1);
    assertThatThrownBy(() -> sampler.draw(new double[] {1, Double.NaN}, 1, 1))
        .hasMessageContaining("score 1 must be finite");
    assertThatThrownBy(() -> sampler.propensities(new double[] {1, 2}, new int[] {5}))
        .hasMessageContaining("slot 0: 5 is no candidate");
  }
}
