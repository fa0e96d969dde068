package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.eval.Interval;
import io.sextant.tensor.CounterRandom;
import org.junit.jupiter.api.Test;

class SlateEstimatorTest {

  /** Policies over two items in each of three slots, slot by slot given the items above. */
  private static double[][] policy(CounterRandom random) {
    double[][] p = new double[3][];
    for (int l = 0; l < 3; l++) {
      p[l] = new double[1 << (l + 1)];
      for (int above = 0; above < 1 << l; above++) {
        double first = 0.2 + 0.6 * random.nextDouble();
        p[l][2 * above] = first;
        p[l][2 * above + 1] = 1 - first;
      }
    }
    return p;
  }

  /** The node of a slate's items down to a slot, in 0..2^(l+1)-1. */
  private static int node(int slate, int l) {
    return slate >> (2 - l);
  }

  /** How a slot's reward hangs on the slate. */
  private enum Dependence {
    OWN_ITEM,
    ITEMS_ABOVE,
    WHOLE_SLATE
  }

  private static double reward(Dependence dependence, int slate, int l) {
    int on =
        switch (dependence) {
          case OWN_ITEM -> node(slate, l) & 1;
          case ITEMS_ABOVE -> node(slate, l);
          case WHOLE_SLATE -> slate;
        };
    return Math.sin(1 + 3 * on + 7 * l);
  }

  /** The exact mean of the estimate over all slates less the exact value. */
  private static double bias(
      SlateEstimator estimator, Dependence dependence, boolean independentSlots) {
    CounterRandom random = new CounterRandom(5, "slates", 0);
    double[][] p = policy(random);
    double[][] e = policy(random);
    if (independentSlots) {
      for (double[][] policy : new double[][][] {p, e}) {
        for (int l = 1; l < 3; l++) {
          for (int node = 2; node < policy[l].length; node++) {
            policy[l][node] = policy[l][node & 1];
          }
        }
      }
    }
    double mean = 0;
    double truth = 0;
    for (int slate = 0; slate < 8; slate++) {
      double[] rewards = new double[3];
      double[] propensities = new double[3];
      double[] targets = new double[3];
      double[] at = new double[3];
      double[] under = new double[3];
      double drawn = 1;
      double wanted = 1;
      for (int l = 0; l < 3; l++) {
        rewards[l] = reward(dependence, slate, l);
        propensities[l] = p[l][node(slate, l)];
        targets[l] = e[l][node(slate, l)];
        at[l] = guess(node(slate, l), l);
        int above = node(slate, l) & ~1;
        under[l] = e[l][above] * guess(above, l) + e[l][above + 1] * guess(above + 1, l);
        drawn *= propensities[l];
        wanted *= targets[l];
      }
      double sum = rewards[0] + rewards[1] + rewards[2];
      truth += wanted * sum;
      mean +=
          drawn
              * estimator
                  .roundValues(
                      new LoggedSlates(3, rewards, propensities, targets),
                      new SlateModel(at, under))[0];
    }
    return mean - truth;
  }

  /** A model that is wrong on purpose. */
  private static double guess(int node, int l) {
    return Math.cos(node * 5 + l);
  }

  /** Each is unbiased up to the dependence that it is made for, and biased beyond it. */
  @Test
  void unbiasedUnderTheirAssumptionsOnly() {
    for (Dependence dependence : Dependence.values()) {
      assertThat(bias(SlateEstimator.SIPS, dependence, false)).isCloseTo(0, within(1e-12));
    }
    for (SlateEstimator cascade :
        new SlateEstimator[] {SlateEstimator.RIPS, SlateEstimator.CASCADE_DR}) {
      assertThat(bias(cascade, Dependence.OWN_ITEM, false)).isCloseTo(0, within(1e-12));
      assertThat(bias(cascade, Dependence.ITEMS_ABOVE, false)).isCloseTo(0, within(1e-12));
      assertThat(Math.abs(bias(cascade, Dependence.WHOLE_SLATE, false))).isGreaterThan(1e-3);
    }
    assertThat(bias(SlateEstimator.IIPS, Dependence.OWN_ITEM, true)).isCloseTo(0, within(1e-12));
    assertThat(Math.abs(bias(SlateEstimator.IIPS, Dependence.ITEMS_ABOVE, true)))
        .isGreaterThan(1e-3);
  }

  @Test
  void oneSlateByHand() {
    LoggedSlates log =
        new LoggedSlates(
            2,
            new double[] {1, 3, 0, 2},
            new double[] {.5, .25, .5, .5},
            new double[] {1, .5, 0, 1});
    assertThat(SlateEstimator.SIPS.roundValues(log, null)).containsExactly(4 * 4, 0);
    assertThat(SlateEstimator.IIPS.roundValues(log, null)).containsExactly(2 + 6, 4);
    assertThat(SlateEstimator.RIPS.roundValues(log, null)).containsExactly(2 + 12, 0);
    SlateModel model = new SlateModel(new double[] {3, 2, 1, 1}, new double[] {2, 1, 1, 1});
    assertThat(SlateEstimator.CASCADE_DR.roundValues(log, model))
        .containsExactly(2 * (1 - 3) + 2 + 4 * (3 - 2) + 2, 0 + 1 + 0 + 0);
    Interval interval = SlateEstimator.RIPS.estimate(log, null);
    assertThat(interval.value()).isEqualTo(7);
    assertThat(interval.hi() - 7).isCloseTo(12.7062047362 * 7, within(1e-6));
    assertThat(SlateEstimator.SIPS.overlap(log).maxWeight()).isEqualTo(4);
    assertThat(SlateEstimator.IIPS.overlap(log).maxWeight()).isEqualTo(2);
    assertThat(SlateEstimator.IIPS.overlap(log).meanWeight()).isEqualTo(1.5);
  }

  @Test
  void refusesWhatDoesNotFit() {
    double[] one = {1};
    assertThatThrownBy(() -> new LoggedSlates(2, one, one, one))
        .hasMessageContaining("whole number");
    assertThatThrownBy(() -> new LoggedSlates(1, one, new double[] {0}, one))
        .hasMessageContaining("round 0, slot 0: the propensity must be > 0");
    assertThatThrownBy(() -> new LoggedSlates(1, one, one, new double[] {Double.NaN}))
        .hasMessageContaining("the target probability must lie in 0..1");
    LoggedSlates log = new LoggedSlates(1, one, one, one);
    assertThatThrownBy(() -> SlateEstimator.CASCADE_DR.roundValues(log, null))
        .hasMessageContaining("needs a slate model");
    assertThatThrownBy(
            () ->
                SlateEstimator.CASCADE_DR.roundValues(
                    log, new SlateModel(new double[2], new double[2])))
        .hasMessageContaining("is for 2 slots");
  }
}
