package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sextant.nativeconfig.Flavor;
import io.sextant.nativeconfig.LaunchFlags;
import io.sextant.nativeconfig.NativeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the launcher in a copy of the repository's outline, with a java and an mvn that only note.
 */
class LauncherTest {

  private static final Path LAUNCHER = Path.of("..", "sextant");

  @TempDir Path folder;

  private Path root;
  private Path bin;
  private final Map<String, String> environment = new TreeMap<>();

  private record Result(int exit, String output) {}

  @BeforeEach
  void outline() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "there is no /bin/bash here");
    root = Files.createDirectories(folder.resolve("a place with blanks"));
    bin = Files.createDirectories(folder.resolve("bin"));
    Files.copy(LAUNCHER, root.resolve("sextant"));
    executable(root.resolve("sextant"));
    Files.writeString(root.resolve("pom.xml"), "<project/>");
    for (String module : List.of("native-config", "engine", "models", "cli")) {
      Files.createDirectories(root.resolve(module).resolve("src/main"));
      Files.writeString(root.resolve(module).resolve("pom.xml"), "<project/>");
      Files.writeString(root.resolve(module).resolve("src/main/A.java"), "class A {}");
    }
    java("25.0.1");
    mvn("3.9.9", 0);
  }

  private static void executable(Path file) {
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private void script(String name, String body) throws IOException {
    Path file = bin.resolve(name);
    Files.writeString(file, "#!/bin/bash\n" + body);
    executable(file);
  }

  private void java(String version) throws IOException {
    script(
        "java",
        """
        if [ "$1" = -version ]; then echo 'openjdk version "%s" 2026-01-01' >&2; exit; fi
        for a in "$@"; do echo "arg:$a"; done
        env | grep -E '^(OMP|MALLOC|OPT)_' | sed 's/^/env:/'
        exit 7
        """
            .formatted(version));
    script("javac", "");
  }

  private void mvn(String version, int exit) throws IOException {
    script(
        "mvn",
        """
        if [ "$1" = -v ]; then echo 'Apache Maven %s (abc)'; exit; fi
        echo "$*" >> "%s"
        [ %d = 0 ] || { echo '[ERROR] cannot find symbol'; exit %d; }
        mkdir -p cli/target/lib && touch cli/target/sextant-cli-1.jar cli/target/lib/x.jar
        """
            .formatted(version, folder.resolve("builds"), exit, exit));
  }

  private String lastBuild() throws IOException {
    List<String> lines = Files.readAllLines(folder.resolve("builds"));
    return lines.get(lines.size() - 1);
  }

  private int builds() throws IOException {
    Path file = folder.resolve("builds");
    return Files.exists(file) ? Files.readAllLines(file).size() : 0;
  }

  private Result run(Path launcher, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("/bin/bash", launcher.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().put("PATH", bin + ":/usr/bin:/bin");
    builder.environment().putAll(environment);
    Path output = folder.resolve("output");
    Process process = builder.redirectOutput(output.toFile()).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), Files.readString(output));
  }

  private Result run(String... arguments) throws Exception {
    return run(root.resolve("sextant"), arguments);
  }

  @Test
  void buildsOnceAndHandsOverArgumentsAndStatus() throws Exception {
    Result result = run("demo", "--out", "two words", "");
    assertThat(result.exit()).as(result.output()).isEqualTo(7);
    assertThat(result.output())
        .contains("building")
        .contains("arg:io.sextant.cli.Main\narg:demo\narg:--out\narg:two words\narg:\n");
    assertThat(run("doctor").output()).doesNotContain("building");
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  void aChangedSourceIsBuiltAgain() throws Exception {
    run();
    Files.writeString(root.resolve("engine/src/main/A.java"), "class A { int b; }");
    assertThat(run().output()).contains("building");
    Files.delete(root.resolve("models/src/main/A.java"));
    run();
    Files.writeString(root.resolve("cli/src/main/New.java"), "class New {}");
    run();
    assertThat(builds()).isEqualTo(4);
    Files.createDirectories(root.resolve("engine/src/test"));
    Files.writeString(root.resolve("engine/src/test/T.java"), "class T {}");
    run();
    assertThat(builds()).as("a test is no part of the program").isEqualTo(4);
  }

  @Test
  void theFlavorForCudaHasABuildOfItsOwn() throws Exception {
    run();
    assertThat(lastBuild()).doesNotContain("cu128");
    environment.put("SEXTANT_FLAVOR", "cu128");
    run();
    assertThat(builds()).isEqualTo(2);
    assertThat(lastBuild()).contains("-P cu128");
    run();
    assertThat(builds()).isEqualTo(2);
    environment.remove("SEXTANT_FLAVOR");
    run();
    assertThat(builds()).isEqualTo(3);
    assertThat(lastBuild()).doesNotContain("cu128");
  }

  @Test
  void runsThroughALinkFromAnywhere() throws Exception {
    Path link = Files.createSymbolicLink(bin.resolve("sextant"), root.resolve("sextant"));
    assertThat(run(link, "x").output())
        .contains("arg:" + root.toRealPath() + "/cli/target/sextant-cli-1.jar:");
  }

  @Test
  void setsWhatLaunchFlagsSays() throws Exception {
    NativeConfig config = NativeConfig.builder().flavor(Flavor.CPU).threads(1).build();
    for (String version : new String[] {"17.0.15", "25.0.1"}) {
      java(version);
      LaunchFlags flags = LaunchFlags.forJdk(Integer.parseInt(version.substring(0, 2)), config);
      String output = run().output();
      List<String> all =
          output.lines().filter(l -> l.startsWith("arg:")).map(l -> l.substring(4)).toList();
      assertThat(all).containsAll(flags.jvmFlags()).contains("-XX:MaxRAMPercentage=40");
      assertThat(all.contains("--enable-native-access=ALL-UNNAMED"))
          .isEqualTo(version.startsWith("25"));
      flags
          .environment()
          .forEach(
              (name, value) -> {
                // The number of threads is worked out in the JVM.
                if (!name.equals("OMP_NUM_THREADS")) {
                  assertThat(output).contains("env:" + name + "=" + value);
                }
              });
    }
  }

  @Test
  void whatTheUserSetStays() throws Exception {
    environment.put("OMP_WAIT_POLICY", "active");
    environment.put("MALLOC_TOP_PAD_", "1");
    environment.put("SEXTANT_HEAP", "5g");
    environment.put("SEXTANT_JAVA_OPTS", "-Da=b -Dc=d");
    assertThat(run().output())
        .contains("env:OMP_WAIT_POLICY=active")
        .contains("env:MALLOC_TOP_PAD_=1\n")
        .doesNotContain("MALLOC_MMAP")
        .contains("arg:-Xmx5g\narg:-Da=b\narg:-Dc=d\n")
        .doesNotContain("MaxRAM");
  }

  @Test
  void addsDriversToTheClassPath() throws Exception {
    assertThat(run().output())
        .contains("/cli/target/lib/*\narg:io.sextant.cli.Main")
        .doesNotContain("arg:-Dsextant.commit", "arg:-Dsextant.terminal");
    environment.put("SEXTANT_CLASSPATH", "a b/driver.jar:more/*");
    assertThat(run().output())
        .contains("/cli/target/lib/*:a b/driver.jar:more/*\narg:io.sextant.cli.Main");
  }

  @Test
  void aFailedBuildIsToldAndTriedAgain() throws Exception {
    mvn("3.9.9", 1);
    Result result = run();
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.output()).contains("cannot find symbol").contains("launcher-build.log");
    mvn("3.9.9", 0);
    assertThat(run().exit()).isEqualTo(7);
  }

  @Test
  void whatIsTooOldOrMissingIsNamed() throws Exception {
    java("11.0.2");
    assertThat(run()).matches(r -> r.exit() == 1 && r.output().contains("is Java 11"), "too old");
    java("1.8.0_412");
    assertThat(run()).matches(r -> r.output().contains("is Java 8"), "much too old");
    java("17");
    mvn("3.6.3", 0);
    assertThat(run())
        .matches(r -> r.exit() == 1 && r.output().contains("Maven 3.6; 3.8 or newer"), "maven");
    environment.put("SEXTANT_MVN", "no-such-mvn");
    assertThat(run()).matches(r -> r.output().contains("no-such-mvn is missing"), "no maven");
    environment.put("JAVA_HOME", folder + "/none");
    assertThat(run())
        .matches(r -> r.exit() == 1 && r.output().contains("has no bin/java"), "no java");
    assertThat(builds()).isZero();
  }
}
