package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.UserState;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PolicyProfileTest {

  @Test
  void isTheMeanOfTheExplanations() {
    try (RandomMeta random = new RandomMeta(5, Normalisation.Z, 2)) {
      List<UserState> users = random.users(new Random(6));
      PolicyProfile profile = PolicyProfile.of(random.meta, users);
      assertThat(profile.users()).isEqualTo(users.size());
      assertThat(profile.strategies())
          .extracting(PolicyProfile.StrategyUse::strategy)
          .isEqualTo(random.pool.names());
      double tilt = 0;
      double effect = 0;
      double least = Double.MAX_VALUE;
      String feature = profile.scoreFeatures().get(0).feature();
      int scored = 0;
      for (UserState user : users) {
        Explanation explained =
            random
                .meta
                .explain(user, 1, ExcludedItems.of(new int[][] {RandomMeta.seen(user)}))
                .get(0);
        tilt += explained.parts().get(0).tilt() / users.size();
        least = Math.min(least, explained.parts().get(0).weight());
        for (Attribution attribution : explained.policy()) {
          if (attribution.output().equals(Attribution.SCORE)) {
            scored++;
            effect +=
                attribution.effects().stream()
                    .filter(e -> e.feature().equals(feature))
                    .mapToDouble(e -> Math.abs(e.effect()))
                    .sum();
          }
        }
      }
      PolicyProfile.StrategyUse first = profile.strategies().get(0);
      assertThat(first.tilt()).isCloseTo(tilt, within(1e-9));
      assertThat(first.weights()).isSorted().hasSize(5);
      assertThat(first.weights().get(0)).isCloseTo(least, within(1e-9));
      assertThat(profile.scoreFeatures().get(0).effect()).isCloseTo(effect / scored, within(1e-9));
      assertThat(profile.scoreFeatures())
          .isSortedAccordingTo(
              Comparator.comparingDouble(PolicyProfile.FeatureUse::effect).reversed());
      assertThat(profile.gateFeatures()).isNotEmpty();
      assertThatThrownBy(() -> PolicyProfile.of(random.meta, List.of()))
          .isInstanceOf(InvalidInputException.class);
    }
  }
}
