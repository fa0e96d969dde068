package io.sextant.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.eval.RankingMetric;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.Strategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeTunerTest {

  /**
   * The neighbours are held back as far as that goes, so that nearly any other setting is better.
   */
  private static final String RECIPE =
      """
      [popularity]
      [transitions]
      maxGap = 2
      [[itemNeighbours]]
      name = "weak"
      neighbours = 1
      targetExponent = 2.0
      """;

  private static final int USERS = 6300;
  private static final int ITEMS = 60;

  @TempDir Path folder;

  private static RecipeTuner.Data data;

  /** Walks in which each item has a successor that comes next in three of four cases. */
  @BeforeAll
  static void walk() {
    Interactions.Builder rows = Interactions.builder(ids("u", USERS), ids("i", ITEMS));
    Random random = new Random(3);
    for (int user = 0; user < USERS; user++) {
      int item = random.nextInt(ITEMS);
      for (int step = 0; step < 6; step++) {
        rows.add(
            user, item, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
        item = random.nextInt(4) > 0 ? (item + 17) % ITEMS : random.nextInt(ITEMS);
      }
    }
    Split split = Splitter.leaveOneOut().split(rows.build());
    data = new RecipeTuner.Data(Dataset.of(split.train()), split.validation());
  }

  private static IdIndex ids(String prefix, int count) {
    return IdIndex.of(IntStream.range(0, count).mapToObj(i -> prefix + i).toList());
  }

  private List<StrategyTuning> tune(boolean resume, List<String> log) {
    try (TuningJournal journal =
        TuningJournal.open(folder.resolve("tuning.jsonl"), resume, "this run")) {
      return new RecipeTuner(
              new RecipeTuner.Options(6, RankingMetric.ndcg(10), 5),
              Device.cpu(),
              journal,
              log::add)
          .tune(RECIPE, "test", Map.of("transitions.maxGap", "3"), data);
    }
  }

  @Test
  void findsBetterSettingsByFewerAndFewerTrialsOnMoreAndMoreUsers() {
    List<String> log = new ArrayList<>();
    List<StrategyTuning> tunings = tune(false, log);
    assertThat(tunings).extracting(StrategyTuning::strategy).containsExactly("transitions", "weak");
    for (StrategyTuning tuning : tunings) {
      // The recipe's settings and 6 others on a third of the users, then with 2 of these on all.
      assertThat(tuning.trials())
          .extracting(Trial::users)
          .containsExactly(2100, 2100, 2100, 2100, 2100, 2100, 2100, 6300, 6300, 6300);
      assertThat(tuning.best().value()).isGreaterThanOrEqualTo(tuning.standard().value());
      assertThat(tuning.best().users()).isEqualTo(USERS);
    }
    StrategyTuning weak = tunings.get(1);
    assertThat(weak.best().value()).isGreaterThan(1.05 * weak.standard().value());
    assertThat(log).filteredOn(line -> line.contains("10 trials")).hasSize(2);

    Recipe recipe = ModelZoo.parse(RECIPE, "test", Map.of());
    Map<String, String> overrides = RecipeTuner.overrides(recipe, Map.of(), tunings);
    ItemNeighbours tuned = ModelZoo.parse(RECIPE, "test", overrides).itemNeighbours().get(0);
    assertThat(tuned.neighbours()).isEqualTo(weak.changes().get("neighbours"));
    assertThat(tuned.targetExponent()).isEqualTo(weak.changes().get("targetExponent"));
  }

  @Test
  void whatWasTriedIsNotTriedAgain() throws IOException {
    List<StrategyTuning> first = tune(false, new ArrayList<>());
    Path file = folder.resolve("tuning.jsonl");
    List<String> lines = Files.readAllLines(file);
    assertThat(lines).hasSize(1 + 20);
    // Killed in the middle of a line: only that trial is made again.
    String torn = String.join("\n", lines.subList(0, 15)) + "\n" + lines.get(15).substring(0, 9);
    Files.writeString(file, torn);
    List<StrategyTuning> second = tune(true, new ArrayList<>());
    assertThat(Files.readAllLines(file).subList(0, 15)).isEqualTo(lines.subList(0, 15));
    assertThat(Files.readAllLines(file)).hasSize(1 + 20);
    for (int i = 0; i < 2; i++) {
      assertThat(second.get(i).changes()).isEqualTo(first.get(i).changes());
      assertThat(second.get(i).best().value()).isEqualTo(first.get(i).best().value());
    }
    // Times of fits are never the same twice: these were read.
    assertThat(second.get(0).trials()).isEqualTo(first.get(0).trials());
  }

  @Test
  void aJournalOfAnotherRunOrADamagedOneIsRefused() throws IOException {
    Path file = folder.resolve("tuning.jsonl");
    TuningJournal.open(file, false, "another run").close();
    assertThatThrownBy(() -> TuningJournal.open(file, true, "this run"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("another run")
        .hasMessageContaining("--resume");
    Files.writeString(file, "{\"fingerprint\":\"this run\"}\n{\"strategy\":[]}\n");
    assertThatThrownBy(() -> TuningJournal.open(file, true, "this run"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("damaged");
    TuningJournal.open(file, false, "this run").close();
  }

  @Test
  void settingsThatCannotBeFittedLoseAndNothingToTuneByIsSaid() {
    RecipeTuner.Data none =
        new RecipeTuner.Data(
            data.train(), Interactions.empty(data.truth().users(), data.truth().items()));
    try (TuningJournal journal = TuningJournal.open(folder.resolve("t"), false, "x")) {
      RecipeTuner tuner =
          new RecipeTuner(
              new RecipeTuner.Options(1, RankingMetric.ndcg(10), 5),
              Device.cpu(),
              journal,
              line -> {});
      assertThatThrownBy(() -> tuner.tune(RECIPE, "test", Map.of(), none))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("nothing to tune by");
      // Content neighbours need features, of which there are none.
      assertThat(tuner.tune("[popularity]\n[content]", "test", Map.of(), data)).isEmpty();
    }
  }

  @Test
  void everyOptionOfEverySearchSpaceIsAKeyOfTheRecipe() {
    for (String name : ModelZoo.NAMES) {
      Recipe recipe = ModelZoo.parse(ModelZoo.text(name), name, Map.of());
      for (Strategy strategy : recipe.strategies(1)) {
        for (int draw = 0; draw < 20; draw++) {
          Map<String, Number> values = strategy.searchSpace().draw(1, strategy.name(), draw);
          for (Map.Entry<String, Number> value : values.entrySet()) {
            String key = recipe.sectionOf(strategy.name()) + "." + value.getKey();
            Map<String, String> overrides = Map.of(key, value.getValue().toString());
            Recipe changed = ModelZoo.parse(ModelZoo.text(name), name, overrides);
            assertThat(changed.strategies(1)).as(key).hasSameSizeAs(recipe.strategies(1));
            String kept = ModelZoo.withOverrides(ModelZoo.text(name), overrides);
            assertThat(ModelZoo.parse(kept, name, Map.of())).as(key).isEqualTo(changed);
          }
        }
      }
    }
  }
}
