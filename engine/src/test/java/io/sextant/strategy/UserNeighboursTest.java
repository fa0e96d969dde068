package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.store.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UserNeighboursTest {

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void scoresAreThoseOfTheFormula(long seed) {
    Random random = new Random(seed);
    Interactions events = RandomEvents.of(random, 60, 40, 20);
    UserNeighbours strategy =
        UserNeighbours.builder()
            .itemExponent(random.nextDouble())
            .userExponent(random.nextDouble())
            .targetExponent(random.nextDouble())
            .neighbours(1 + random.nextInt(50))
            .maxUserItems(random.nextBoolean() ? 6 : 1000)
            .history(new HistoryWeights(0.5 + random.nextDouble() / 2, random.nextDouble(), 12))
            .build();
    double[][] x = RandomEvents.heaviest(events, strategy.maxUserItems());
    try (FittedStrategy fitted = fit(strategy, events)) {
      List<UserState> users = new ArrayList<>();
      for (int user = 0; user < events.numUsers(); user++) {
        users.add(new UserState(user, events.historyOf(user)));
        users.add(UserState.unseen(events.historyOf(user)));
      }
      users.add(UserState.unseen(0, 1, 0, 39));
      for (UserState user : users) {
        assertScores(fitted, user, naive(strategy, x, user), "seed " + seed + ", " + user);
      }
    }
  }

  private static double[] naive(UserNeighbours options, double[][] x, UserState user) {
    double[] itemSums = new double[x[0].length];
    Arrays.setAll(itemSums, item -> RandomEvents.columnSum(x, item));
    double[] similarity = new double[x.length];
    int[] history = user.history();
    int length = Math.min(history.length, options.history().maxLength());
    for (int v = 0; v < x.length; v++) {
      for (int back = 0; back < length && v != user.userIndex(); back++) {
        int item = history[history.length - 1 - back];
        similarity[v] +=
            Math.pow(options.history().decay(), back)
                * Math.pow(length, -options.history().power())
                * power(itemSums[item], -options.itemExponent())
                * x[v][item];
      }
      similarity[v] *= power(RandomEvents.rowSum(x, v), -options.userExponent());
    }
    double[] scores = new double[x[0].length];
    IntStream.range(0, x.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer v) -> -similarity[v]))
        .limit(options.neighbours())
        .forEach(
            v -> {
              for (int item = 0; item < scores.length; item++) {
                scores[item] +=
                    similarity[v] * x[v][item] * power(itemSums[item], -options.targetExponent());
              }
            });
    return scores;
  }

  private static double power(double sum, double exponent) {
    return sum == 0 ? 0 : Math.pow(sum, exponent);
  }

  private static void assertScores(
      FittedStrategy fitted, UserState user, double[] expected, String description) {
    ScoreSums sums = new ScoreSums(expected.length);
    fitted.sparse().orElseThrow().score(user, sums);
    for (int item = 0; item < expected.length; item++) {
      // Positive terms only, so relative errors do not grow with cancellation.
      if (!(Math.abs(sums.get(item) - expected[item]) <= 2e-5 * expected[item])) {
        fail("%s, item %d: %s instead of %s", description, item, sums.get(item), expected[item]);
      }
    }
  }

  @Test
  void byHand() {
    // Users 1 and 2 know item 0; user 1 knows four items and so counts half as much as one of one.
    Interactions events =
        RandomEvents.sequences(
            5, new int[] {0}, new int[] {0, 1, 2, 3}, new int[] {0}, new int[] {4});
    UserNeighbours plain =
        UserNeighbours.builder().itemExponent(0).userExponent(0.5).targetExponent(0).build();
    try (FittedStrategy fitted = fit(plain, events)) {
      assertScores(
          fitted, new UserState(0, new int[] {0}), new double[] {1.5, .5, .5, .5, 0}, "known");
      assertScores(fitted, UserState.unseen(0), new double[] {2.5, .5, .5, .5, 0}, "unseen");
      assertScores(fitted, UserState.unseen(), new double[5], "nobody");
    }
    try (FittedStrategy fitted = fit(plain.toBuilder().neighbours(1).build(), events)) {
      // Users 0 and 2 are equally near: the first one votes.
      assertScores(fitted, UserState.unseen(0), new double[] {1, 0, 0, 0, 0}, "nearest");
      assertScores(
          fitted, new UserState(0, new int[] {0}), new double[] {1, 0, 0, 0, 0}, "second nearest");
    }
  }

  @Test
  void damagedBundlesAreRefused() {
    Interactions events = RandomEvents.of(new Random(3), 20, 10, 8);
    try (FittedStrategy fitted = fit(UserNeighbours.nearest(), events)) {
      assertThat(load(fitted.configJson(), fitted.tensors())).isEqualTo(10);
      int[] starts = tensor(fitted, "users.starts").toInts();
      int[] items = tensor(fitted, "users.items").toInts();
      float[] weights = tensor(fitted, "users.weights").toFloats();

      int[] descending = starts.clone();
      descending[3] = starts[starts.length - 1] + 1;
      assertDamaged(fitted, TensorSource.of("users.starts", descending, descending.length));
      int[] outside = items.clone();
      outside[0] = 10;
      assertDamaged(fitted, TensorSource.of("users.items", outside, outside.length));
      outside[0] = -1;
      assertDamaged(fitted, TensorSource.of("users.items", outside, outside.length));
      float[] negative = weights.clone();
      negative[1] = -1;
      assertDamaged(fitted, TensorSource.of("users.weights", negative, negative.length));
      float[] missing = Arrays.copyOf(weights, weights.length - 1);
      assertDamaged(fitted, TensorSource.of("users.weights", missing, missing.length));
      int[] otherCounts = tensor(fitted, "items.starts").toInts();
      otherCounts[1]++;
      assertDamaged(fitted, TensorSource.of("items.starts", otherCounts, otherCounts.length));
      for (String config : List.of("{}", "{\"neighbours\": \"many\"}")) {
        assertThatThrownBy(() -> load(config, fitted.tensors()))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("strategy 's' cannot be restored");
      }
    }
  }

  private void assertDamaged(FittedStrategy fitted, TensorSource instead) {
    List<TensorSource> tensors = new ArrayList<>(fitted.tensors());
    assertThat(tensors.removeIf(t -> t.spec().name().equals(instead.spec().name()))).isTrue();
    tensors.add(instead);
    assertThatThrownBy(() -> load(fitted.configJson(), tensors))
        .as(instead.spec().name())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("strategy 's' cannot be restored");
  }

  private static TensorSource tensor(FittedStrategy fitted, String name) {
    return fitted.tensors().stream()
        .filter(t -> t.spec().name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private int bundles;

  private int load(String config, List<TensorSource> tensors) {
    Path bundle = folder.resolve("bundle" + bundles++);
    new BundleWriter()
        .strategy("s", UserNeighbours.TYPE, config, tensors)
        .users(List.of("u"))
        .items(RandomEvents.names("i", 10))
        .write(bundle);
    try (ModelBundle open = ModelBundle.open(bundle);
        FittedStrategy loaded = Strategies.load(open.strategy("s"), Device.cpu())) {
      return loaded.numItems();
    }
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    UserNeighbours good = UserNeighbours.sessions();
    assertThat(good.toBuilder().build()).isEqualTo(good);
    assertRefused(UserNeighbours.builder().name(""), "name");
    assertRefused(UserNeighbours.builder().itemExponent(3), "itemExponent");
    assertRefused(UserNeighbours.builder().userExponent(-2), "userExponent");
    assertRefused(UserNeighbours.builder().targetExponent(Double.NaN), "targetExponent");
    assertRefused(UserNeighbours.builder().neighbours(0), "neighbours must be > 0 but was 0");
    assertRefused(UserNeighbours.builder().maxUserItems(0), "maxUserItems");
    assertThatThrownBy(() -> fit(UserNeighbours.nearest(), RandomEvents.sequences(2, new int[0])))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'user-neighbours' has no interaction");
  }

  private static void assertRefused(UserNeighbours.Builder builder, String message) {
    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }

  private static FittedStrategy fit(Strategy strategy, Interactions events) {
    return strategy.fit(FitContext.of(Device.cpu(), Dataset.of(events)));
  }
}
