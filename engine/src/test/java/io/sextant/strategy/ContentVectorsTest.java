package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.store.TensorSource;
import io.sextant.tensor.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContentVectorsTest {

  private static final int ITEMS = 30;
  private static final int WIDTH = 5;

  @TempDir Path folder;

  private long scopes;

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeftOpen() {
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void scoresAreThoseOfTheFormula(long seed) {
    Random random = new Random(seed);
    Interactions events = RandomEvents.of(random, 10, ITEMS, 12);
    float[] vectors = vectors(random);
    ContentVectors strategy =
        new ContentVectors(
            "v", "", random.nextDouble(), new HistoryWeights(0.5 + random.nextDouble() / 2, 0, 8));
    double[] popularity = new double[ITEMS];
    for (int row = 0; row < events.size(); row++) {
      popularity[events.itemAt(row)] += events.weightAt(row);
    }
    List<UserState> users = new ArrayList<>();
    int[] items = new int[events.numUsers() * ITEMS];
    for (int n = 0; n < items.length; n++) {
      int user = n / ITEMS;
      items[n] = n % ITEMS;
      users.add(new UserState(user, events.historyOf(user)));
    }
    try (FittedStrategy fitted = fit(strategy, data(events, vectors))) {
      float[] actual = Ranker.scores(fitted, users, items);
      for (int n = 0; n < items.length; n++) {
        double expected =
            cosine(profile(strategy, vectors, users.get(n).history()), vectors, items[n])
                * Math.pow(Math.max(1, popularity[items[n]]), strategy.popularityExponent());
        assertThat((double) actual[n])
            .as("seed %d, %s, item %d", seed, users.get(n), items[n])
            .isCloseTo(expected, within(1e-5));
      }
    }
  }

  /** Item 3 has no vector. */
  private static float[] vectors(Random random) {
    float[] vectors = new float[ITEMS * WIDTH];
    for (int at = 0; at < vectors.length; at++) {
      vectors[at] = at / WIDTH == 3 ? 0 : (float) random.nextGaussian() * 10;
    }
    return vectors;
  }

  private static double[] profile(ContentVectors options, float[] vectors, int[] history) {
    double[] profile = new double[WIDTH];
    double total = 0;
    for (int back = 0; back < Math.min(8, history.length); back++) {
      int item = history[history.length - 1 - back];
      if (item != 3) {
        double weight = Math.pow(options.history().decay(), back);
        total += weight;
        for (int d = 0; d < WIDTH; d++) {
          profile[d] += weight * vectors[item * WIDTH + d] / length(vectors, item);
        }
      }
    }
    double sum = total;
    return Arrays.stream(profile).map(value -> sum == 0 ? 0 : value / sum).toArray();
  }

  private static double cosine(double[] profile, float[] vectors, int item) {
    double product = 0;
    for (int d = 0; d < WIDTH; d++) {
      product += profile[d] * vectors[item * WIDTH + d];
    }
    return product == 0 ? 0 : product / length(vectors, item);
  }

  private static double length(float[] vectors, int item) {
    double squares = 0;
    for (int d = 0; d < WIDTH; d++) {
      squares += vectors[item * WIDTH + d] * vectors[item * WIDTH + d];
    }
    return Math.sqrt(squares);
  }

  @Test
  void theFeatureMustBeTheOnlyOneOrNamed() {
    Interactions events = RandomEvents.sequences(2, new int[] {0});
    FeatureTable table =
        FeatureTable.builder(2)
            .add(new FeatureColumn.DenseVector("text", 2, new float[] {1, 0, 0, 1}))
            .add(new FeatureColumn.DenseVector("image", 1, new float[] {1, -1}))
            .add(new FeatureColumn.Numeric("price", new float[2]))
            .build();
    Dataset data = new Dataset(events, FeatureTable.empty(1), table);
    ContentVectors image = new ContentVectors("v", "image", 0, HistoryWeights.EQUAL);
    try (FittedStrategy fitted = fit(image, data)) {
      UserState user = UserState.unseen(0);
      assertThat(Ranker.scores(fitted, List.of(user, user), new int[] {0, 1}))
          .containsExactly(1, -1);
    }
    assertThatThrownBy(() -> fit(ContentVectors.cosine(), data))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(
            "'content-vectors' needs one dense vector feature of the items but there are [text, image]");
    assertThatThrownBy(() -> fit(new ContentVectors("v", "price", 0, HistoryWeights.EQUAL), data))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("needs 'price'");
    assertThatThrownBy(() -> new ContentVectors("v", "", 9, HistoryWeights.EQUAL))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("popularityExponent");
    assertThat(ContentVectors.cosine().ordered().history()).isEqualTo(HistoryWeights.RECENT);
  }

  @Test
  void damagedBundlesAreRefused() {
    Interactions events = RandomEvents.sequences(ITEMS, new int[] {0});
    try (FittedStrategy fitted =
        fit(ContentVectors.cosine(), data(events, vectors(new Random(1))))) {
      TensorSource vectors = fitted.tensors().get(0);
      TensorSource factors = fitted.tensors().get(1);
      load(fitted.configJson(), vectors, factors);
      assertDamaged("{}", vectors, factors);
      float[] few = new float[ITEMS - 1];
      Arrays.fill(few, 1);
      assertDamaged(
          fitted.configJson(), vectors, TensorSource.of("items.factors", few, few.length));
      float[] zeros = new float[ITEMS];
      assertDamaged(fitted.configJson(), vectors, TensorSource.of("items.factors", zeros, ITEMS));
      float[] values = vectors.toFloats();
      assertDamaged(
          fitted.configJson(), TensorSource.of("items.vectors", values, values.length), factors);
      values[4] = Float.NaN;
      assertDamaged(
          fitted.configJson(), TensorSource.of("items.vectors", values, ITEMS, WIDTH), factors);
    }
  }

  private void assertDamaged(String config, TensorSource... tensors) {
    assertThatThrownBy(() -> load(config, tensors))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("strategy 's' cannot be restored");
  }

  private int bundles;

  private void load(String config, TensorSource... tensors) {
    Path bundle = folder.resolve("bundle" + bundles++);
    new BundleWriter()
        .strategy("s", ContentVectors.TYPE, config, List.of(tensors))
        .users(List.of("u"))
        .items(RandomEvents.names("i", ITEMS))
        .write(bundle);
    try (ModelBundle open = ModelBundle.open(bundle)) {
      Strategies.load(open.strategy("s"), Device.cpu()).close();
    }
  }

  private static Dataset data(Interactions events, float[] vectors) {
    FeatureTable table =
        FeatureTable.builder(ITEMS)
            .add(new FeatureColumn.DenseVector("text", WIDTH, vectors))
            .build();
    return new Dataset(events, FeatureTable.empty(events.numUsers()), table);
  }

  private static FittedStrategy fit(Strategy strategy, Dataset data) {
    return strategy.fit(FitContext.of(Device.cpu(), data));
  }
}
