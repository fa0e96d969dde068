package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.nativeconfig.CudaLibtorch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NativeTest {

  @TempDir static Path root;

  @ParameterizedTest
  @CsvSource({
    "'native', a subcommand is needed: install or bundle",
    "'native bundle --flavor cpu --out o --part-size 5x', '--part-size must be as 55m'",
    "'native bundle --flavor cpu --out o --part-size 12', at least 1 KiB",
    "'native bundle --flavor cpu --out o --arch sm_90', '--arch and --no-stubs are for flavor cu128'",
    "'native bundle --flavor cpu --out o --no-stubs', '--arch and --no-stubs are for flavor cu128'",
    "'native bundle --flavor local --out o', cpu or cu128",
    "'native bundle --flavor cu128 --out o --arch 90', but was '90'",
    "'native bundle --flavor cpu --out o --compression 10', compression must be in 1..9 but was 10",
    "'native bundle --flavor cpu', --out",
    "'native bundle --flavor cuda --out o', --flavor",
    "'native install --flavor cpu', the CPU build needs no installation",
  })
  void badInputIsTold(String command, String complaint) {
    Cli.Result result = Cli.run(command.split(" ", -1));
    assertThat(result.exit()).as(result.err()).isEqualTo(2);
    assertThat(result.err()).contains(complaint);
  }

  @ParameterizedTest
  @ValueSource(strings = {"55m=57671680", "700K=716800", "1g=1073741824", "123456=123456"})
  void sizes(String pair) {
    String[] sides = pair.split("=", -1);
    assertThat(NativeBundle.bytes(sides[0])).isEqualTo(Long.parseLong(sides[1]));
  }

  @Test
  void artifactsThatAreNotHereAreNamed() throws IOException {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "a CUDA libtorch is for Linux");
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "and for x86-64");
    assumeTrue(CudaLibtorch.installed().isEmpty(), "one is installed already");
    Path empty = Files.createDirectory(root.resolve("empty"));
    Cli.Result result = Cli.run("native", "install", "--from", empty.toString());
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.complaint())
        .contains("org.bytedeco:pytorch:2.7.1-")
        .contains("org.bytedeco:cuda:12")
        .contains("mvn -P cu128");
    Path out = root.resolve("no-bundle");
    result = Cli.run("native", "bundle", "--flavor", "cu128", "--out", out.toString());
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.complaint()).contains("sextant native install");
    assertThat(out).doesNotExist();
  }

  /** The application itself, for the CPU: made, split, put together, and it trains. */
  @Test
  void aBundleRunsWithAnEmptiedEnvironment() throws Exception {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "bundles are for Linux");
    assumeTrue(
        System.getProperty("java.class.path").contains("pytorch-native-cpu"),
        "this build has no libtorch for the CPU");
    Path bundle = root.resolve("bundle");
    Path json = root.resolve("bundle.json");
    Cli.Result made =
        Cli.run(
            "native",
            "bundle",
            "--flavor",
            "cpu",
            "--part-size",
            "30m",
            "--compression",
            "1",
            "--out",
            bundle.toString(),
            "--json",
            json.toString());
    assertThat(made.exit()).as(made.err()).isZero();
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    assertThat(result.get("command").asText()).isEqualTo("native bundle");
    assertThat(result.get("flavor").asText()).isEqualTo("cpu");
    JsonNode parts = result.get("parts");
    assertThat(parts.size()).isGreaterThan(2);
    for (JsonNode part : parts) {
      Path file = bundle.resolve(part.get("name").asText());
      assertThat(Files.size(file)).isEqualTo(part.get("bytes").asLong());
      assertThat(part.get("sha256").asText()).matches("[0-9a-f]{64}");
    }
    assertThat(made.out()).startsWith(parts.size() + " parts, " + result.get("bytes").asLong());
    assertThat(bundle.resolve("NOTICE.txt"))
        .content()
        .contains("libtorch_cpu.so")
        .doesNotContain("not stated in the jar; see its project\n  picocli");

    Path target = root.resolve("there/sextant");
    String installed = bare(bundle.resolve("install.sh").toString(), target.toString());
    assertThat(installed).contains("done; try: " + target + "/sextant doctor");
    String command = target.resolve("sextant").toString();
    assertThat(bare(command, "doctor"))
        .contains("libtorch      2.7.1 in " + target + "/lib")
        .contains("flavor        cpu")
        .doesNotContain("ERROR")
        .doesNotContain("jar-beside-local-libtorch");
    Path model = root.resolve("model");
    String events = Cli.csv(root).toString();
    String recipe = Cli.recipe(root).toString();
    bare(
        command,
        "train",
        "--recipe",
        recipe,
        "--events",
        events,
        "--out",
        model.toString(),
        "--device",
        "cpu");
    assertThat(model.resolve("manifest.json")).exists();
    try (Stream<Path> siblings = Files.list(target.getParent())) {
      assertThat(siblings).containsExactly(target);
    }
  }

  /** Runs a script with nothing in the environment, and a home that is not there. */
  private static String bare(String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of("/bin/bash"));
    all.addAll(List.of(command));
    ProcessBuilder builder = new ProcessBuilder(all).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().put("HOME", root.resolve("no-home").toString());
    builder.environment().put("SEXTANT_HEAP", "1g");
    Path output = Files.createTempFile(root, "output", ".txt");
    Process process = builder.redirectOutput(output.toFile()).start();
    assertThat(process.waitFor(180, TimeUnit.SECONDS)).isTrue();
    String text = Files.readString(output);
    assertThat(process.exitValue()).as(text).isZero();
    return text;
  }
}
