package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SlopeTest {

  /** The rule, written out: the longest run from the widest on whose members all agree. */
  private static String oracle(List<Estimator> candidates, OffPolicyRounds rounds) {
    int m = candidates.size();
    double[] value = new double[m];
    double[] half = new double[m];
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < m; i++) {
      double[] v = candidates.get(i).roundValues(rounds);
      value[i] = MeanBounds.mean(v);
      half[i] =
          StudentT.quantile(0.975, v.length - 1) * Math.sqrt(MeanBounds.variance(v) / v.length);
      order.add(i);
    }
    order.sort((a, b) -> Double.compare(half[b], half[a]));
    String last = candidates.get(order.get(0)).name();
    for (int at = 1; at < m; at++) {
      for (int before = 0; before < at; before++) {
        int i = order.get(at);
        int j = order.get(before);
        if (Math.abs(value[j] - value[i]) > half[i] + (Math.sqrt(6) - 1) * half[j]) {
          return last;
        }
      }
      last = candidates.get(order.get(at)).name();
    }
    return last;
  }

  @Test
  void choosesByTheRule() {
    List<String> chosen = new ArrayList<>();
    for (int seed = 0; seed < 40; seed++) {
      CounterRandom random = new CounterRandom(seed, "slope", 0);
      int n = seed % 2 == 0 ? 100 : 3000;
      LoggedRounds log = Logs.log(random, Logs.policy(random, n, 6));
      OffPolicyRounds rounds =
          OffPolicyRounds.of(
              log, Logs.policy(random, n, 6), RewardModel.ridge(1).crossFit(log, 2, 1));
      for (String family : List.of("ips", "dr", "switch-dr", "dros", "sub-gaussian")) {
        List<Estimator> candidates = Slope.candidates(family);
        String name = Slope.choose(candidates, rounds).name();
        assertThat(name).isEqualTo(oracle(candidates, rounds));
        chosen.add(name);
      }
    }
    assertThat(chosen.stream().distinct().count()).as("no constant choice").isGreaterThan(5);
  }

  /** One reward in a weight of 64, all others at weight 1/2: how much to clip hangs on how sure. */
  @Test
  void clipsWhereVarianceRulesAndNotWhereBiasDoes() {
    // A hundred heavy rounds that all pay: clipping would lose what they surely show.
    assertThat(Slope.choose(Slope.candidates("ips"), heavy(2000, 100)).weights().apply(64))
        .isEqualTo(64);
    // Two of them may be chance.
    assertThat(Slope.choose(Slope.candidates("ips"), heavy(200, 2)).weights().apply(64))
        .isLessThan(64);
    assertThatThrownBy(() -> Slope.choose(List.of(), heavy(20, 2)))
        .hasMessageContaining("no estimators");
    assertThatThrownBy(() -> Slope.candidates("dm")).hasMessageContaining("no estimator 'dm@1'");
  }

  private static OffPolicyRounds heavy(int n, int paying) {
    int[] actions = new int[n];
    double[] rewards = new double[n];
    double[] propensities = new double[n];
    for (int i = 0; i < n; i++) {
      actions[i] = i < paying ? 1 : 0;
      rewards[i] = actions[i];
      propensities[i] = i < paying ? 0.5 / 64 : 1;
    }
    return OffPolicyRounds.of(
        LoggedRounds.of(2, actions, rewards, propensities),
        ActionProbabilities.uniform(n, 2),
        null);
  }
}
