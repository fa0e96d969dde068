package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills training with SIGKILL at random moments: what is resumed must end as if undisturbed. */
class ResumeTest {

  private static final String EPOCHS = "twoTower.epochs=150";

  @TempDir Path folder;

  private Path csv;
  private Path recipe;

  @BeforeEach
  void data() throws IOException {
    csv = Cli.csv(folder);
    recipe = Cli.recipe(folder);
  }

  @Test
  void threeKillsChangeNothing() throws Exception {
    killAndResume(3);
  }

  @Test
  @Tag("slow")
  void tenKillsChangeNothing() throws Exception {
    killAndResume(10);
  }

  @Test
  void whatIsToldToStopSavesFirst() throws Exception {
    Process whole = train("whole");
    Process stopped = train("stopped");
    while (stopped.isAlive() && !log("stopped").contains("epoch 2,")) {
      Thread.sleep(1);
    }
    // SIGTERM takes the same way as Ctrl-C, and no shell can have switched it off.
    stopped.destroy();
    assertThat(stopped.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(stopped.exitValue()).as(log("stopped")).isEqualTo(128 + 15);
    assertThat(log("stopped"))
        .contains("training saves a checkpoint after the step at hand")
        .contains("the same command with --resume goes on from there");
    assertThat(folder.resolve("stopped")).doesNotExist();
    assertThat(folder.resolve(".stopped.checkpoint/two-tower.safetensors")).isRegularFile();
    Process resumed = train("stopped", "--resume");
    assertThat(resumed.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(resumed.exitValue()).as(log("stopped")).isZero();
    assertThat(log("stopped")).as("it began anew").doesNotContain("epoch 1,");
    assertThat(whole.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(tensors(folder.resolve("stopped"))).isEqualTo(tensors(folder.resolve("whole")));
  }

  private void killAndResume(int kills) throws Exception {
    Process whole = train("undisturbed");
    assertThat(whole.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(whole.exitValue()).as(log("undisturbed")).isZero();
    Map<String, String> expected = tensors(folder.resolve("undisturbed"));
    assertThat(expected).isNotEmpty();
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < kills; i++) {
      String name = "killed" + i;
      int epoch = 2 + random.nextInt(100);
      String where = "seed " + seed + ", kill " + i + " after epoch " + epoch;
      Process process = train(name);
      while (process.isAlive() && !log(name).contains("epoch " + epoch + ",")) {
        Thread.sleep(1);
      }
      Thread.sleep(random.nextInt(10));
      process.destroyForcibly().waitFor();
      assertThat(process.exitValue()).as("killed before it ended, " + where).isNotZero();
      assertThat(folder.resolve(name)).doesNotExist();
      Process resumed = train(name, "--resume");
      assertThat(resumed.waitFor(120, TimeUnit.SECONDS)).as(where).isTrue();
      assertThat(resumed.exitValue()).as(where + ": " + log(name)).isZero();
      assertThat(log(name)).as("it began anew, " + where).doesNotContain("epoch 1,");
      assertThat(tensors(folder.resolve(name))).as(where).isEqualTo(expected);
    }
  }

  private String log(String name) throws IOException {
    return Files.readString(folder.resolve(name + ".log"));
  }

  private Process train(String name, String... more) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Dai.djl.offline=true");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.sextant.cli.Main"));
    command.addAll(List.of("train", "--device", "cpu", "--threads", "1"));
    command.addAll(List.of("--recipe", recipe.toString(), "--events", csv.toString()));
    command.addAll(List.of("--out", folder.resolve(name).toString(), "--set", EPOCHS));
    command.addAll(List.of(more));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve(name + ".log").toFile())
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
