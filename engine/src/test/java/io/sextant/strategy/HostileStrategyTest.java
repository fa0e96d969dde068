package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.store.TensorSource;
import io.sextant.tensor.Scope;
import io.sextant.train.SamplingOptions;
import io.sextant.train.TrainingOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bundles whose checksums are right but whose parts contradict each other. */
class HostileStrategyTest {

  private static final int USERS = 3;
  private static final int ITEMS = 4;
  private static final int HUGE = 1 << 30;

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

  @Test
  void whatIsNotTamperedWithIsLoaded() {
    Path bundle = twoTower(config -> {}, tensors -> {});
    try (ModelBundle open = ModelBundle.open(bundle);
        FittedStrategy loaded = Strategies.load(open.strategy("s"), Device.cpu())) {
      assertThat(loaded.type()).isEqualTo("two-tower");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "features.item.code.kind, 3, 1",
    "features.item.code.kind, 8, 1",
    "features.item.code.kind, 2, 2",
    "features.item.code.kind.weight, 3, 1",
    "features.item.numeric, 4, 2",
    "features.item.vector.text, 4, 1",
    "features.item.vector.text, 3, 2",
    "item.id, 5, 4",
    "item.code.kind, 2, 4",
    "user.id, 2, 4",
    "user.mlp0.weight, 4, 6",
  })
  void aTensorOfAnotherSizeIsNamed(String name, int rows, int width) {
    TensorSource other =
        name.equals("features.item.code.kind")
            ? TensorSource.of(name, new int[rows * width], rows, width)
            : TensorSource.of(name, new float[rows * width], rows, width);
    Path bundle =
        twoTower(
            config -> {},
            tensors -> tensors.replaceAll(t -> t.spec().name().equals(name) ? other : t));
    assertRefused(bundle, "'" + name + "'");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 3})
  void aCodeOutsideOfTheVocabularyIsRefused(int code) {
    String name = "features.item.code.kind";
    TensorSource other = TensorSource.of(name, new int[] {0, 1, 2, code}, ITEMS, 1);
    assertRefused(
        twoTower(
            config -> {},
            tensors -> tensors.replaceAll(t -> t.spec().name().equals(name) ? other : t)),
        name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"features.item.code.kind", "features.item.vector.text", "item.id", "user.id"})
  void aMissingTensorIsNamed(String name) {
    assertRefused(
        twoTower(config -> {}, tensors -> tensors.removeIf(t -> t.spec().name().equals(name))),
        name);
  }

  @Test
  void numbersOfTheConfigurationAreChecked() {
    assertRefused(twoTower(config -> items(config).addProperty("numEntities", 5), t -> {}), "5");
    assertRefused(twoTower(config -> users(config).addProperty("numEntities", 2), t -> {}), "2");
    assertRefused(twoTower(config -> users(config).addProperty("numEntities", 0), t -> {}), "0");
    assertRefused(
        twoTower(config -> users(config).addProperty("numEntities", -3), t -> {}), "numEntities");
    assertRefused(
        twoTower(config -> items(config).addProperty("numericWidth", -1), t -> {}), "numericWidth");
    assertRefused(
        twoTower(config -> items(config).addProperty("numericWidth", HUGE), t -> {}),
        "'features.item.numeric'");
    assertRefused(
        twoTower(config -> column(config, "codes").addProperty("width", 0), t -> {}), "'kind'");
    assertRefused(
        twoTower(config -> column(config, "codes").addProperty("width", HUGE), t -> {}),
        "'features.item.code.kind'");
    assertRefused(
        twoTower(config -> column(config, "vectors").addProperty("width", -2), t -> {}), "'text'");
  }

  @Test
  void sizesOfTheConfigurationTakeNoMemoryThatTheTensorsDoNotHave() {
    assertRefused(
        twoTower(config -> column(config, "codes").addProperty("vocabularySize", HUGE), t -> {}),
        "'item.code.kind'");
    assertRefused(
        twoTower(config -> column(config, "codes").addProperty("vocabularySize", 0), t -> {}),
        "vocabularySize");
    assertRefused(
        twoTower(config -> shape(config).addProperty("dimension", HUGE), t -> {}), "'user.id'");
    assertRefused(
        twoTower(
            config -> {
              JsonArray hidden = new JsonArray();
              hidden.add(HUGE);
              shape(config).add("hidden", hidden);
            },
            t -> {}),
        "'user.mlp0.weight'");
  }

  @Test
  void missingNamesAndListsAreRefused() {
    assertRefused(
        twoTower(config -> column(config, "codes").add("name", JsonNull.INSTANCE), t -> {}),
        "name");
    assertRefused(twoTower(config -> column(config, "vectors").remove("name"), t -> {}), "name");
    assertRefused(twoTower(config -> items(config).remove("codes"), t -> {}), "strategy 's'");
    assertRefused(
        twoTower(
            config -> items(config).getAsJsonArray("codes").set(0, JsonNull.INSTANCE), t -> {}),
        "strategy 's'");
  }

  @Test
  void popularityNeedsAScoreForEachItem() {
    assertRefused(popularity("{}", new float[ITEMS - 1], ITEMS - 1, 1), "'items.vectors'");
    assertRefused(popularity("{}", new float[2 * ITEMS], ITEMS, 2), "'items.vectors'");
    assertRefused(popularity("{}", new float[ITEMS], ITEMS), "'items.vectors'");
    assertRefused(popularity("{}", new float[1]), "'items.vectors'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-7", "\"x\"", "[]", "{}"})
  void popularityNeedsAPositiveHalfLife(String halfLife) {
    Path bundle =
        popularity("{\"halfLifeDays\":%s}".formatted(halfLife), new float[ITEMS], ITEMS, 1);
    assertRefused(bundle, "halfLifeDays");
  }

  @Test
  void aStrategyOfAnyTypeScoresTheItemsOfItsBundle() {
    ItemWeights weights = new ItemWeights(new int[ITEMS], new int[0], new float[0]);
    FittedItemItem fitted = new FittedItemItem(weights, HistoryWeights.EQUAL, "knn");
    assertRefused(write(fitted.type(), fitted.configJson(), fitted.tensors()), "3 items");
  }

  private static void assertRefused(Path bundle, String message) {
    try (ModelBundle open = ModelBundle.open(bundle)) {
      assertThatThrownBy(() -> Strategies.load(open.strategy("s"), Device.cpu()).close())
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(message);
    }
  }

  private Path popularity(String config, float[] values, long... shape) {
    return write("popularity", config, List.of(TensorSource.of("items.vectors", values, shape)));
  }

  /** A trained model with every kind of feature, tampered with. */
  private Path twoTower(Consumer<JsonObject> config, Consumer<List<TensorSource>> tensors) {
    Interactions.Builder rows =
        Interactions.builder(IdIndex.of(names("u", USERS)), IdIndex.of(names("i", ITEMS)));
    for (int user = 0; user < USERS; user++) {
      rows.add(
          user, user + 1, EventType.CLICK, Float.NaN, 1, 1000L * user, InteractionFeatures.UNKNOWN);
    }
    FeatureTable features =
        FeatureTable.builder(ITEMS)
            .add(
                new FeatureColumn.Categorical(
                    "kind", List.of("", "a", "b"), new int[] {0, 1, 2, 1}))
            .add(new FeatureColumn.Numeric("size", new float[] {1, 2, 3, 4}))
            .add(new FeatureColumn.DenseVector("text", 2, new float[2 * ITEMS]))
            .build();
    Dataset data = new Dataset(rows.build(), FeatureTable.builder(USERS).build(), features);
    TwoTowerStrategy strategy =
        TwoTowerStrategy.of(
            TwoTowerOptions.builder().dimension(4).hidden(List.of(5)).biases(true).build(),
            SamplingOptions.builder().negatives(2).build(),
            TrainingOptions.builder().epochs(1).batchSize(4).build());
    try (FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), data))) {
      JsonObject json = JsonParser.parseString(fitted.configJson()).getAsJsonObject();
      config.accept(json);
      List<TensorSource> sources = new ArrayList<>(fitted.tensors());
      tensors.accept(sources);
      return write(fitted.type(), json.toString(), sources);
    }
  }

  private Path write(String type, String config, List<TensorSource> tensors) {
    Path bundle = folder.resolve("bundle");
    new BundleWriter()
        .strategy("s", type, config, tensors)
        .users(names("u", USERS))
        .items(names("i", ITEMS))
        .write(bundle);
    return bundle;
  }

  private static JsonObject shape(JsonObject config) {
    return config.getAsJsonObject("shape");
  }

  private static JsonObject users(JsonObject config) {
    return config.getAsJsonObject("users");
  }

  private static JsonObject items(JsonObject config) {
    return config.getAsJsonObject("items");
  }

  private static JsonObject column(JsonObject config, String kind) {
    return items(config).getAsJsonArray(kind).get(0).getAsJsonObject();
  }

  private static List<String> names(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }
}
