package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.store.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills one training with SIGKILL, again and again: it must end as an undisturbed one does. */
class ResumeTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern EPOCH = Pattern.compile("two-tower: epoch (\\d+),");

  /** 40 users with 5 events to learn from each, since the last one stops the training. */
  private static final int STEPS_PER_EPOCH = 20;

  private static final int EPOCHS = 60;

  /** What has not ended by then hangs, also on a loaded machine. */
  private static final int HANGS_SECONDS = 600;

  @TempDir Path folder;

  private Path csv;
  private Path recipe;
  private List<String> settings =
      List.of("--set", "twoTower.epochs=" + EPOCHS, "--set", "twoTower.batchSize=10");

  @BeforeEach
  void data() throws IOException {
    csv = Cli.csv(folder);
    recipe = Cli.recipe(folder);
  }

  @Test
  void twoKillsChangeNothing() throws Exception {
    killAndResume(2);
  }

  @Test
  @Tag("slow")
  void tenKillsChangeNothing() throws Exception {
    // Of the 21 checkpoints of an epoch 19 are within it: that none of ten is, has chance 1e-10.
    assertThat(killAndResume(10)).as("checkpoints within an epoch").isPositive();
  }

  @Test
  void aPolicyIsTheSameWhereverItsTrainingWasKilled() throws Exception {
    recipe = Files.writeString(folder.resolve("pool.toml"), Cli.RECIPE + Cli.POOL);
    end(train("whole", "whole.log"), "whole.log");
    // While strategies are fitted without the slice, and when they are fitted again.
    for (String reached : List.of("two-tower: epoch 20,", "policy 1: held-out")) {
      Process process = train("killed", "killed.log", "--checkpoint-every", "0", "--resume");
      while (process.isAlive() && !log("killed.log").contains(reached)) {
        Thread.sleep(1);
      }
      process.destroyForcibly().waitFor();
      assertThat(process.exitValue()).as(reached + ": " + log("killed.log")).isEqualTo(128 + 9);
    }
    assertThat(folder.resolve(".killed.checkpoint/policy/two-tower.safetensors")).isRegularFile();
    end(train("killed", "last.log", "--resume"), "last.log");
    Map<String, String> expected = tensors(folder.resolve("whole"));
    assertThat(expected.keySet()).contains("policy.safetensors");
    assertThat(tensors(folder.resolve("killed"))).isEqualTo(expected);
    assertThat(JSON.readTree(folder.resolve("killed.json").toFile()).path("policyVersion"))
        .isEqualTo(JSON.readTree(folder.resolve("whole.json").toFile()).path("policyVersion"));
  }

  @Test
  void weightsAreTheSameWhereverTheirLearningWasKilled() throws Exception {
    recipe = Files.writeString(folder.resolve("weights.toml"), Cli.RECIPE + Cli.WEIGHTS);
    csv = Cli.ratedGroups(folder);
    settings = List.of("--set", "twoTower.epochs=30", "--seed", "2");
    end(train("whole", "whole.log"), "whole.log");
    for (String reached : List.of("weights: epoch 20,", "two-tower: epoch 2,")) {
      Process process = train("killed", "killed.log", "--resume");
      while (process.isAlive() && !log("killed.log").contains(reached)) {
        Thread.sleep(1);
      }
      process.destroyForcibly().waitFor();
      assertThat(process.exitValue()).as(reached + ": " + log("killed.log")).isEqualTo(128 + 9);
    }
    assertThat(folder.resolve(".killed.checkpoint/weights/learner.safetensors")).isRegularFile();
    end(train("killed", "last.log", "--resume"), "last.log");
    assertThat(log("last.log")).as("it began anew").doesNotContain("weights: epoch 1,");
    JsonNode expected = JSON.readTree(folder.resolve("whole.json").toFile()).path("weights");
    assertThat(expected.path("strategies").path("two-tower").path("kept").asBoolean()).isTrue();
    assertThat(JSON.readTree(folder.resolve("killed.json").toFile()).path("weights"))
        .isEqualTo(expected);
    assertThat(tensors(folder.resolve("killed"))).isEqualTo(tensors(folder.resolve("whole")));
  }

  @Test
  void ratesAreTheSameWhereverTheirLearningWasKilled() throws Exception {
    recipe = Files.writeString(folder.resolve("rates.toml"), Cli.RECIPE + Cli.RATES);
    csv = Cli.ratedGroups(folder);
    settings = List.of("--set", "twoTower.epochs=20");
    end(train("whole", "whole.log"), "whole.log");
    // In the first training beside which rates are learned, in the next, and in the last fit.
    String ofRates = "rates of two-tower: epoch 12,";
    for (String reached : List.of(ofRates, ofRates, "\ntwo-tower: epoch 2,")) {
      Process process = train("killed", "killed.log", "--resume");
      while (process.isAlive() && !log("killed.log").contains(reached)) {
        Thread.sleep(1);
      }
      process.destroyForcibly().waitFor();
      assertThat(process.exitValue()).as(reached + ": " + log("killed.log")).isEqualTo(128 + 9);
    }
    assertThat(folder.resolve(".killed.checkpoint/rates/run0-two-tower.safetensors"))
        .isRegularFile();
    end(train("killed", "last.log", "--resume"), "last.log");
    assertThat(log("last.log")).as("it began anew").doesNotContain("rates of two-tower: epoch 1,");
    assertThat(JSON.readTree(folder.resolve("killed.json").toFile()).path("rates"))
        .isEqualTo(JSON.readTree(folder.resolve("whole.json").toFile()).path("rates"));
    assertThat(tensors(folder.resolve("killed"))).isEqualTo(tensors(folder.resolve("whole")));
  }

  @Test
  void whatIsToldToStopSavesFirst() throws Exception {
    end(train("whole", "whole.log"), "whole.log");
    Process stopped = train("stopped", "stopped.log");
    while (stopped.isAlive() && lastEpoch("stopped.log") < 2) {
      Thread.sleep(1);
    }
    // SIGTERM takes the same way as Ctrl-C, and no shell can have switched it off.
    stopped.destroy();
    assertThat(stopped.waitFor(300, TimeUnit.SECONDS)).isTrue();
    assertThat(stopped.exitValue()).as(log("stopped.log")).isEqualTo(128 + 15);
    assertThat(log("stopped.log"))
        .contains("training saves a checkpoint after the step at hand")
        .contains("the same command with --resume goes on from there");
    assertThat(folder.resolve("stopped")).doesNotExist();
    assertThat(folder.resolve(".stopped.checkpoint/two-tower.safetensors")).isRegularFile();
    end(train("stopped", "resumed.log", "--resume"), "resumed.log");
    assertThat(log("resumed.log")).as("it began anew").doesNotContain("epoch 1,");
    assertThat(tensors(folder.resolve("stopped"))).isEqualTo(tensors(folder.resolve("whole")));
  }

  /** Says how many kills left a checkpoint from the midst of an epoch. */
  private int killAndResume(int kills) throws Exception {
    end(train("undisturbed", "whole.log"), "whole.log");
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int midEpoch = 0;
    for (int kill = 0; kill < kills; kill++) {
      String log = kill + ".log";
      // Each kill in its own part of the epochs, and the first anywhere, also before all training.
      int epoch =
          kill == 0 ? 0 : kill * (EPOCHS - 10) / kills + random.nextInt((EPOCHS - 10) / kills);
      int millis = kill == 0 ? random.nextInt(2000) : random.nextInt(50);
      String where = "seed %d, kill %d: epoch %d, %d ms".formatted(seed, kill, epoch, millis);
      Process process = train("killed", log, "--checkpoint-every", "0", "--resume");
      while (process.isAlive() && lastEpoch(log) < epoch) {
        Thread.sleep(1);
      }
      Thread.sleep(millis);
      process.destroyForcibly().waitFor();
      assertThat(process.exitValue()).as(where + ": " + log(log)).isEqualTo(128 + 9);
      assertThat(folder.resolve("killed")).as(where).doesNotExist();
      long step = stepOfCheckpoint();
      midEpoch += step % STEPS_PER_EPOCH == 0 ? 0 : 1;
      assertThat(step).as(where).isGreaterThanOrEqualTo((long) epoch * STEPS_PER_EPOCH);
    }
    end(train("killed", "last.log", "--resume"), "last.log");
    String where = "seed " + seed;
    assertThat(log("last.log")).as("it began anew, " + where).doesNotContain("epoch 1,");
    Map<String, String> expected = tensors(folder.resolve("undisturbed"));
    assertThat(expected.keySet())
        .contains("histories.safetensors", "strategies/two-tower.safetensors");
    assertThat(tensors(folder.resolve("killed"))).as(where).isEqualTo(expected);
    JsonNode whole = JSON.readTree(folder.resolve("undisturbed.json").toFile());
    JsonNode resumed = JSON.readTree(folder.resolve("killed.json").toFile());
    assertThat(whole.path("validation")).hasSize(EPOCHS);
    assertThat(resumed.path("validation")).as(where).isEqualTo(whole.path("validation"));
    assertThat(resumed.path("epochs")).isEqualTo(whole.path("epochs"));
    assertThat(evaluate("killed")).as(where).isEqualTo(evaluate("undisturbed"));
    return midEpoch;
  }

  private JsonNode evaluate(String model) throws IOException {
    Path json = folder.resolve("evaluate.json");
    Cli.Result result =
        Cli.run(
            "evaluate",
            "--device",
            "cpu",
            "--model",
            folder.resolve(model).toString(),
            "--events",
            csv.toString(),
            "--json",
            json.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    return JSON.readTree(json.toFile()).path("metrics");
  }

  /** The steps that are in the checkpoint; 0 if there is none yet. */
  private long stepOfCheckpoint() throws IOException {
    Path file = folder.resolve(".killed.checkpoint/two-tower.safetensors");
    if (!Files.exists(file)) {
      return 0;
    }
    try (SafetensorsFile checkpoint = SafetensorsFile.open(file)) {
      String state = checkpoint.metadata().get("sextant.state");
      assertThat(state).isNotNull();
      // Before the first validation the best value so far is -Infinity.
      return JSON.reader()
          .with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .readTree(state)
          .path("step")
          .asLong(-1);
    }
  }

  private void end(Process process, String log) throws Exception {
    assertThat(process.waitFor(HANGS_SECONDS, TimeUnit.SECONDS)).as(log(log)).isTrue();
    assertThat(process.exitValue()).as(log(log)).isZero();
  }

  private String log(String name) throws IOException {
    return Files.readString(folder.resolve(name));
  }

  private int lastEpoch(String log) throws IOException {
    int last = 0;
    for (Matcher matcher = EPOCH.matcher(log(log)); matcher.find(); ) {
      last = Integer.parseInt(matcher.group(1));
    }
    return last;
  }

  private Process train(String model, String log, String... more) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Dai.djl.offline=true");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.sextant.cli.Main"));
    command.addAll(List.of("train", "--device", "cpu", "--threads", "1"));
    command.addAll(List.of("--recipe", recipe.toString(), "--events", csv.toString()));
    command.addAll(List.of("--out", folder.resolve(model).toString()));
    command.addAll(List.of("--json", folder.resolve(model + ".json").toString()));
    command.addAll(settings);
    command.addAll(List.of(more));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve(log).toFile())
        .start();
  }

  private static Map<String, String> tensors(Path bundle) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(bundle)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
        contents.put(
            bundle.relativize(file).toString(),
            Base64.getEncoder().encodeToString(Files.readAllBytes(file)));
      }
    }
    return contents;
  }
}
