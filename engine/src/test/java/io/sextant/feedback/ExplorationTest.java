package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ExplorationTest {

  private static final int DRAWS = 60_000;

  /** Five standard errors of a share: missed by chance about once in a million. */
  private static double tolerance(double p) {
    return 5 * Math.sqrt(p * (1 - p) / DRAWS) + 1e-9;
  }

  @Test
  void armsComeAsOftenAsTheirPropensitiesSay() {
    double[] scores = {0.3, -1, 2, 2};
    SoftmaxArms arms = new SoftmaxArms(0.8, 0.1);
    double[] expected = arms.probabilities(scores);
    double sum = Math.exp(.3 / .8) + Math.exp(-1 / .8) + 2 * Math.exp(2 / .8);
    assertThat(expected[1]).isCloseTo(0.9 * Math.exp(-1 / .8) / sum + 0.025, within(1e-15));
    int[] softmax = new int[4];
    int[] greedy = new int[4];
    for (int i = 0; i < DRAWS; i++) {
      SoftmaxArms.Draw draw = arms.draw(scores, 7, i);
      assertThat(draw.propensity()).isEqualTo(expected[draw.arm()]);
      softmax[draw.arm()]++;
      greedy[SoftmaxArms.epsilonGreedy(scores, 0.2, 7, i).arm()]++;
    }
    for (int a = 0; a < 4; a++) {
      assertThat(softmax[a] / (double) DRAWS)
          .isCloseTo(expected[a], within(tolerance(expected[a])));
      double p = SoftmaxArms.epsilonGreedy(scores, 0.2, 7, 0).probabilities()[a];
      assertThat(p).isCloseTo(a == 2 ? 0.85 : 0.05, within(1e-15));
      assertThat(greedy[a] / (double) DRAWS).isCloseTo(p, within(tolerance(p)));
    }
  }

  /** All slates of a head and two drawn slots from a pool of four: their chances add up to 1. */
  @Test
  void slatesComeAsOftenAsTheirPropensitiesSay() {
    double[] scores = {1, 5, 0.5, -3, 1.5};
    SlateSampler sampler = new SlateSampler(3, 1, 4, 1, 0.2);
    Map<List<Integer>, Integer> counts = new HashMap<>();
    Map<List<Integer>, Double> chances = new HashMap<>();
    for (int i = 0; i < DRAWS; i++) {
      SlateDraw draw = sampler.draw(scores, 3, i);
      assertThat(sampler.propensities(scores, draw.items())).isEqualTo(draw.propensities());
      List<Integer> items = new ArrayList<>();
      for (int item : draw.items()) {
        items.add(item);
      }
      counts.merge(items, 1, Integer::sum);
      chances.put(items, draw.propensity());
    }
    // The head is the best; of the pool's three others the tail takes two in any order.
    assertThat(counts).hasSize(6);
    assertThat(chances.values().stream().mapToDouble(p -> p).sum()).isCloseTo(1, within(1e-12));
    counts.forEach(
        (items, count) -> {
          double p = chances.getOrDefault(items, 0.0);
          assertThat(items.get(0)).isEqualTo(1);
          assertThat(count / (double) DRAWS).isCloseTo(p, within(tolerance(p)));
        });
  }

  @Test
  void slatesOutOfReachHaveNoChance() {
    double[] scores = {3, 2, 1, 0};
    SlateSampler sampler = new SlateSampler(2, 1, 3, 1, 0);
    assertThat(sampler.propensities(scores, new int[] {0, 3})).containsExactly(1, 0);
    assertThat(sampler.propensities(scores, new int[] {1, 0})[0]).isZero();
    // Fewer candidates than slots: the slate ends with them.
    assertThat(new SlateSampler(3, 0, 3, 1, 0).draw(new double[] {1, 1}, 1, 1).items()).hasSize(2);
    // Scores far apart neither overflow nor lose the last candidate.
    SlateDraw draw = new SlateSampler(2, 0, 2, 1e-3, 0).draw(new double[] {1e6, -1e6}, 1, 1);
    assertThat(draw.items()).containsExactly(0, 1);
    assertThat(draw.propensities()).containsExactly(1, 1);
  }

  @Test
  void theSameDecisionDrawsTheSame() {
    double[] scores = {1, 2, 3, 4, 5, 6};
    SlateSampler sampler = new SlateSampler(4, 1, 6, 5, 0.1);
    assertThat(sampler.draw(scores, 5, 77).items()).isEqualTo(sampler.draw(scores, 5, 77).items());
    assertThat(new SoftmaxArms(9, 0).draw(scores, 5, 78).arm())
        .isEqualTo(new SoftmaxArms(9, 0).draw(scores, 5, 78).arm());
  }

  @Test
  void refusesWhatCannotBeDrawn() {
    assertThatThrownBy(() -> new SoftmaxArms(0, 0.1))
        .hasMessageContaining("temperature must be > 0");
    assertThatThrownBy(() -> new SoftmaxArms(1, 1.1))
        .hasMessageContaining("epsilon must lie in 0..1");
    assertThatThrownBy(() -> new SoftmaxArms(1, 0).probabilities(new double[0]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("nothing to draw from");
    assertThatThrownBy(() -> new SoftmaxArms(1, 0).probabilities(new double[] {1, Double.NaN}))
        .hasMessageContaining("score 1 must be finite");
    assertThatThrownBy(() -> new SlateSampler(3, 4, 9, 1, 0))
        .hasMessageContaining("a head in 0..slots");
    SlateSampler sampler = new SlateSampler(2, 0, 2, 1, 0);
    assertThatThrownBy(() -> sampler.propensities(new double[] {1, 2}, new int[] {0, 0}))
        .hasMessageContaining("slot 1: 0 is no candidate");
    assertThatThrownBy(() -> sampler.propensities(new double[] {1, 2}, new int[] {0, 1, 0}))
        .hasMessageContaining("a slate of 3 items");
  }
}
