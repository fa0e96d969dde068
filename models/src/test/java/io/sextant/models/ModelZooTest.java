package io.sextant.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.meta.GuidedRates;
import io.sextant.meta.MetaOptions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.Als;
import io.sextant.strategy.ContentNeighbours;
import io.sextant.strategy.ContentVectors;
import io.sextant.strategy.Ease;
import io.sextant.strategy.FewShotSettings;
import io.sextant.strategy.GradientTrained;
import io.sextant.strategy.HistoryWeights;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.SequenceStrategy;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.strategy.UserNeighbours;
import io.sextant.train.Objective;
import io.sextant.train.Schedule;
import io.sextant.train.TrainingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelZooTest {

  @TempDir Path folder;

  private static Recipe named(String name) {
    return ModelZoo.parse(ModelZoo.text(name), name, Map.of());
  }

  private static Recipe parse(String toml) {
    return ModelZoo.parse(toml, "r.toml", Map.of());
  }

  @Test
  void everyNamedRecipeParsesAndHasStrategies() {
    for (String name : ModelZoo.NAMES) {
      assertThat(ModelZoo.parse(ModelZoo.text(name), name, Map.of()).strategies(1))
          .as(name)
          .isNotEmpty();
    }
  }

  @Test
  void videoIsWhatItsTextSays() {
    Recipe video = ModelZoo.parse(ModelZoo.text("video"), "video", Map.of());
    assertThat(video.data())
        .isEqualTo(new Recipe.Data("movielens", "movielens", "movielens", 1, 1, null));
    assertThat(video.strategies(1).stream().map(Strategy::name))
        .containsExactly(
            "popularity",
            "late-popularity",
            "popularity-decayed",
            "transitions",
            "rp3beta",
            "content",
            "two-tower");
    assertThat(video.meta(1)).isPresent();
    assertThat(Objects.requireNonNull(video.popularityDecayed()).halfLifeDays()).isEqualTo(60);
    Recipe.TwoTowerSection tower = Objects.requireNonNull(video.twoTower());
    assertThat(tower.dimension()).isEqualTo(48);
    assertThat(tower.history()).isEqualTo(TwoTowerOptions.History.SHARED);
    assertThat(tower.historyDecay()).isEqualTo(0.7f);
    assertThat(tower.objective()).isEqualTo(Objective.SAMPLED_SOFTMAX);
    assertThat(tower.negatives()).isEqualTo(512);
    assertThat(tower.schedule()).isEqualTo(Schedule.LINEAR);
    assertThat(tower.epochs()).isEqualTo(3);
    assertThat(tower.validationMetric()).isEqualTo("ndcg@10");
    assertThat(tower.hidden()).isNull();
  }

  @Test
  void weightsHaveTheDefaultsOfTheirSection() {
    WeightsSection weights =
        Objects.requireNonNull(
            parse(
                    "[twoTower]\n[weights]\nmetaTypes = [\"PURCHASE\"]\nfeatures = [\"TYPE\"]\nevery = 3\n")
                .weights());
    WeightsSection standard = WeightsSection.defaults();
    assertThat(weights.metaTypes()).containsExactly(EventType.PURCHASE);
    assertThat(weights.features()).containsExactly(WeightSignal.TYPE);
    assertThat(weights.policy().every()).isEqualTo(3);
    assertThat(weights.policy().hidden()).isEqualTo(standard.policy().hidden());
    assertThat(weights.mode()).isEqualTo(WeightsSection.Mode.WHERE_THEY_PAY);
    assertThat(weights.guardShare()).isEqualTo(standard.guardShare());
    assertThat(weights.training(List.of(), 7).weighting().seed()).isEqualTo(7);
    assertThat(parse("[popularity]").weights()).isNull();
    for (String heeding :
        List.of(
            "[als]\nweighted = true", "[itemNeighbours]", "[userNeighbours]", "[transitions]")) {
      assertThat(parse(heeding + "\n[weights]\nminValue = 4.0").weights()).isNotNull();
    }
  }

  @Test
  void weightsMayBeLearnedBesideTheSequenceModelOfTheRecipe() {
    Recipe recipe =
        parse(
            "[sequence]\ndimension = 16\n[weights]\nminValue = 4.0\nlearner = 'SEQUENCE'\nepochs = 7\n");
    SequenceStrategy learner =
        (SequenceStrategy)
            Objects.requireNonNull(recipe.weights()).training(recipe.strategies(3), 9).learner();
    assertThat(learner.shape().dimension()).isEqualTo(16);
    assertThat(learner.training().epochs()).isEqualTo(7);
    assertThat(learner.training().patience()).isZero();
    assertThat(learner.training().seed()).isEqualTo(9);
  }

  @Test
  void ratesBeginWithThoseOfTheStrategy() {
    Recipe recipe = parse("[twoTower]\nuserLearningRate = 0.3\n[rates]\nruns = 2\nwindows = 3\n");
    RatesSection rates = Objects.requireNonNull(recipe.rates());
    assertThat(rates.guardShare()).isEqualTo(RatesSection.defaults().guardShare());
    GuidedRates training = rates.training((GradientTrained) recipe.strategies(1).get(0), 5);
    assertThat(training.runs()).isEqualTo(2);
    assertThat(training.policy().windows()).isEqualTo(3);
    assertThat(training.policy().objectives()).isFalse();
    assertThat(training.policy().seed()).isEqualTo(5);
    assertThat((float) training.defaults().user()).isEqualTo(0.3f);
    assertThat(parse("[popularity]").rates()).isNull();
  }

  @Test
  void ecommerceHasTheEnginesSettingsForOrderedHistories() {
    Recipe recipe = named("ecommerce");
    assertThat(recipe.data().ordered()).isTrue();
    assertThat(recipe.strategies(5))
        .containsExactlyInAnyOrder(
            Popularity.allTime(),
            Popularity.late(),
            SessionTransitions.wide(),
            SessionTransitions.next(),
            ItemNeighbours.cosine().ordered(),
            ItemNeighbours.rp3beta().ordered().toBuilder()
                .userExponent(0.5)
                .neighbours(300)
                .build(),
            UserNeighbours.sessions(),
            ContentNeighbours.attributes().ordered(),
            Als.builder().unobservedWeight(0.003).l2(0.01).epochs(12).seed(5).build(),
            Ease.builder().l2(200).history(HistoryWeights.RECENT).build(),
            SequenceStrategy.standard()
                .withTraining(
                    SequenceStrategy.trainingDefaults().epochs(25).patience(0).seed(5).build()));
    assertThat(recipe.meta(5)).contains(MetaOptions.builder().seed(5).build());
  }

  @Test
  void socialHasTheEnginesSettingsForHistoriesWithoutOrder() {
    Recipe recipe = named("social");
    assertThat(recipe.data().ordered()).isFalse();
    assertThat(recipe.strategies(5))
        .hasSize(8)
        .contains(
            Popularity.allTime(),
            ItemNeighbours.cosine(),
            ItemNeighbours.rp3beta(),
            UserNeighbours.nearest(),
            Als.builder().factors(192).seed(5).build(),
            Ease.builder().l2(50).maxItems(12_000).build(),
            LowPass.builder().factors(256).seed(5).build());
    assertThat(recipe.meta(5)).contains(MetaOptions.builder().k(20).seed(5).build());
  }

  @Test
  void aSectionThatIsEmptyIsTheEnginesDefault() {
    for (Strategy expected :
        List.of(
            Popularity.allTime(),
            SessionTransitions.wide(),
            ItemNeighbours.rp3beta(),
            UserNeighbours.nearest(),
            ContentNeighbours.attributes(),
            ContentVectors.cosine(),
            Als.builder().seed(2).build(),
            Ease.builder().build(),
            LowPass.builder().seed(2).build(),
            SequenceStrategy.standard().withSeed(2))) {
      String section = sectionOf(expected);
      assertThat(parse("[" + section + "]").strategies(2)).containsExactly(expected);
      assertThat(parse("[[" + section + "]]\nname = \"x\"").strategies(2))
          .extracting(Strategy::name)
          .containsExactly("x");
    }
  }

  private static String sectionOf(Strategy strategy) {
    String type = strategy.getClass().getSimpleName();
    return switch (type) {
      case "ContentNeighbours" -> "content";
      case "SequenceStrategy" -> "sequence";
      case "SessionTransitions" -> "transitions";
      default -> type.substring(0, 1).toLowerCase(Locale.ROOT) + type.substring(1);
    };
  }

  @Test
  void aTwoTowerModelAdaptsToUnseenUsersWhereAsked() {
    assertThat(parse("[twoTower]\nfewShot = true").strategies(7))
        .singleElement()
        .satisfies(
            s -> {
              FewShotSettings settings = Objects.requireNonNull(((TwoTowerStrategy) s).fewShot());
              assertThat(settings.training().seed()).isEqualTo(7);
            });
    assertThat(parse("[twoTower]\nfewShot = false").strategies(7))
        .singleElement()
        .satisfies(s -> assertThat(((TwoTowerStrategy) s).fewShot()).isNull());
  }

  @Test
  void whatTrainingTakesOfTheDeviceIsSaidInTheSection() {
    String keys = "\naccumulate = 8\ntableMemory = 8000000000\n";
    for (String section : List.of("[twoTower]", "[sequence]")) {
      TrainingOptions training =
          ((GradientTrained) parse(section + keys).strategies(7).get(0)).training();
      assertThat(training.accumulate()).isEqualTo(8);
      assertThat(training.tableMemory()).isEqualTo(8_000_000_000L);
    }
    assertThatThrownBy(() -> parse("[twoTower]\naccumulate = 0").strategies(7))
        .hasMessageContaining("accumulate must be > 0 but was 0");
  }

  @Test
  void aPolicyIsFittedOnlyWhereThereIsASectionForIt() {
    assertThat(parse("[popularity]").meta(7)).isEmpty();
    assertThat(parse("[popularity]\n[meta]\nk = 3\nkappa = 1").meta(7))
        .contains(MetaOptions.builder().k(3).kappa(1).seed(7).build());
  }

  @Test
  void ofSeveralSectionsOneIsOverriddenByName() {
    Map<String, String> overrides =
        Map.of(
            "itemNeighbours.cosine.neighbours", "7",
            "itemNeighbours.rp3beta.history.decay", "0.9",
            "sequence.blocks", "3",
            "transitions.next.name", "successors");
    List<Strategy> strategies =
        ModelZoo.parse(ModelZoo.text("ecommerce"), "ecommerce", overrides).strategies(1);
    assertThat(strategies)
        .contains(ItemNeighbours.cosine().ordered().toBuilder().neighbours(7).build())
        .contains(SessionTransitions.next().toBuilder().name("successors").build())
        .anyMatch(s -> s instanceof ItemNeighbours n && n.history().decay() == 0.9)
        .anyMatch(s -> s instanceof SequenceStrategy q && q.shape().blocks() == 3);
    // The name that a section without one has.
    assertThat(
            ModelZoo.parse(
                    "[[als]]\n[[als]]\nname = \"wide\"",
                    "r",
                    Map.of("als.als.factors", "3", "als.wide.factors", "9"))
                .strategies(1))
        .containsExactly(
            Als.builder().factors(3).seed(1).build(),
            Als.builder().name("wide").factors(9).seed(1).build());
    assertThatThrownBy(
            () ->
                ModelZoo.parse(
                    ModelZoo.text("ecommerce"), "e", Map.of("itemNeighbours.neighbours", "7")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("section.name.key=value where there are several");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[twoTower];[weights];minValue = 4.0;metashare = 0.2 | unknown key 'weights.metashare': did you mean 'metaShare'?",
        "[twoTower];[weights];minValue = 4.0;every = 0 | every must be > 0",
        "[twoTower];[weights];minValue = 4.0;seed = 3 | unknown key 'weights.seed'",
        "[twoTower];[weights];minValue = 4.0;guardShare = 0.0 | weights.metaShare and weights.guardShare must be > 0",
        "[twoTower];[weights];minValue = 4.0;warmUpEpochs = 12 | weights.epochs must be more than weights.warmUpEpochs (12)",
        "[twoTower];[weights];minValue = 4.0;features = [] | weights.features needs at least one",
        "[twoTower];[weights];minValue = 4.0;features = ['MOOD'] | MOOD",
        "[twoTower];[weights];metaTypes = ['BUY'] | BUY",
        "[twoTower];[weights];minValue = 4.0;mode = 'SOMETIMES' | SOMETIMES",
        "[twoTower];[weights];metaShare = 0.2 | must say which events can be trusted",
        "[als];[weights];minValue = 4.0 | no strategy of the recipe heeds [weights]",
        "[twoTower];[weights];minValue = 4.0;learner = 'SEQUENCE' | beside a sequence model: add [sequence]",
        "[als];[rates] | no strategy of the recipe is trained in steps",
        "[twoTower];[rates];runs = 0 | rates.runs must be > 0 but was 0",
        "[twoTower];[rates];windows = 0 | windows must be > 0 but was 0",
        "[twoTower];[rates];guardShare = 0.9 | rates.metaShare and rates.guardShare must be > 0",
        "[twoTower];[rates];metashare = 0.2 | unknown key 'rates.metashare': did you mean 'metaShare'?",
        "[als];factor = 3 | unknown key 'als.factor': did you mean 'factors'?",
        "[als];seed = 3 | unknown key 'als.seed'",
        "[als];factors = 0 | factors must be > 0 but was 0",
        "[als];factors = 1.5 | als.[0].factors",
        "[als];factors = 'many' | als.[0].factors",
        "[sequence];blokcs = 2 | did you mean 'blocks'?",
        "[itemNeighbours];history.decya = 0.5 | did you mean 'decay'?",
        "[itemNeighbours];history = 0.5 | itemNeighbours.[0].history",
        "[meta];kapa = 1 | did you mean 'kappa'?",
        "[meta];k = 0 | k must be > 0",
        "[[meta]] | key 'meta'",
        "[sequenec] | did you mean 'sequence'?",
        "als = 3 | write [als], or [[als]] for each of several",
        "[[als]];[[als]] | two strategies are called 'als'",
        "[als];name = 'a/b' | strategy name 'a/b' cannot be used",
        "[als];name = 'bias' | strategy name 'bias' cannot be used",
        "[popularity];name = 'two-tower';[twoTower] | two strategies are called 'two-tower'",
      })
  void aMistakeIsNamed(String toml, String message) {
    String text = toml.replace(";", "\n");
    // [popularity] alone would be fine: what is refused is the rest.
    String whole = text.contains("popularity") ? text : text + "\n[popularity]\n";
    assertThatThrownBy(() -> parse(whole))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("r.toml")
        .hasMessageContaining(message);
  }

  @Test
  void overridesReplaceAndAdd() {
    Recipe video =
        ModelZoo.parse(
            ModelZoo.text("video"),
            "video",
            Map.of(
                "twoTower.dimension", "64",
                "twoTower.history", "OWN",
                "twoTower.hidden", "[32, 16]",
                "data.format", "csv"));
    Recipe.TwoTowerSection tower = Objects.requireNonNull(video.twoTower());
    assertThat(tower.dimension()).isEqualTo(64);
    assertThat(tower.history()).isEqualTo(TwoTowerOptions.History.OWN);
    assertThat(tower.hidden()).containsExactly(32, 16);
    assertThat(tower.epochs()).isEqualTo(3);
    assertThat(video.data().format()).isEqualTo("csv");
  }

  @ParameterizedTest
  @CsvSource({
    "dimension, 64, no section",
    "tower.dimension, 64, section of the recipe",
    "twoTower.dimensoin, 64, did you mean 'dimension'?",
    "twoTower.epochs, many, twoTower.epochs",
    "twoTower.history, OWNED, twoTower.history",
    "data.format.deep, 1, format.deep",
  })
  void aWrongOverrideIsNamed(String key, String value, String part) {
    assertThatThrownBy(
            () -> ModelZoo.parse(ModelZoo.text("video"), "video", Map.of(key, value)).strategies(1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(part.equals("no section") ? "section.key=value" : part);
  }

  @Test
  void errorsSayTheRecipeAndTheKey() {
    assertThatThrownBy(() -> parse("[popularty]"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("r.toml")
        .hasMessageContaining("did you mean 'popularity'?");
    assertThatThrownBy(() -> parse("[popularity"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("r.toml is no TOML");
    assertThatThrownBy(() -> parse("[data]\nformat = \"csv\""))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at least one strategy");
    assertThatThrownBy(() -> parse("[meta]\nk = 5"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at least one strategy");
    assertThatThrownBy(() -> parse(""))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at least one strategy");
  }

  @Test
  void aMissingHalfLifeIsRefused() {
    assertThatThrownBy(() -> parse("[popularityDecayed]").strategies(1))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void textsComeByNameOrFile() throws IOException {
    Path file = Files.writeString(folder.resolve("own.toml"), "[popularity]\n");
    assertThat(ModelZoo.text(file.toString())).isEqualTo("[popularity]\n");
    assertThatThrownBy(() -> ModelZoo.text("Vidio"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("did you mean 'video'?");
    assertThatThrownBy(() -> ModelZoo.text("qqqqqqqq"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageNotContaining("did you mean");
  }

  @Test
  void aFileThatIsNoTextIsRefused() throws IOException {
    Path file = Files.write(folder.resolve("bytes.toml"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThatThrownBy(() -> ModelZoo.text(file.toString()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("bytes.toml");
  }

  @Test
  void theSampleIsReadableAndCarriesItsLicence() throws IOException {
    ModelZoo.copySample(folder);
    assertThat(folder.resolve("LICENSE")).isNotEmptyFile();
    for (String name : new String[] {"ratings.dat.gz", "movies.dat.gz"}) {
      try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(folder.resolve(name)))) {
        assertThat(new String(in.readNBytes(200), java.nio.charset.StandardCharsets.UTF_8))
            .as(name)
            .contains("::");
      }
    }
    assertThatThrownBy(() -> ModelZoo.copySample(folder.resolve("none")))
        .isInstanceOf(InvalidInputException.class);
  }
}
