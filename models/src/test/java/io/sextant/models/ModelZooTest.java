package io.sextant.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.Strategy;
import io.sextant.train.Objective;
import io.sextant.train.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelZooTest {

  @TempDir Path folder;

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
        .isEqualTo(new Recipe.Data("movielens", "movielens", "movielens", 1, 1));
    assertThat(video.strategies(1).stream().map(Strategy::name))
        .containsExactly("popularity", "popularity-decayed", "two-tower");
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
