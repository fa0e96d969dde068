package io.sextant;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import io.sextant.nativeconfig.NativeRuntime;
import io.sextant.nativeconfig.testing.ForkedJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That libtorch's OpenMP really sees what native-config sets, asked of OpenMP itself. */
class NativePreparationTest {

  @Test
  void openMpSeesThePolicyWithoutALauncher() {
    ForkedJvm.Result result =
        ForkedJvm.run(Probe.class, Map.of("OMP_DISPLAY_ENV", "true", "SEXTANT_THREADS", "1"));
    assertThat(result.exit()).as(result.output()).isZero();
    assertThat(result.output())
        .as("libgomp prints its settings while it loads")
        .contains("OMP_WAIT_POLICY = 'PASSIVE'")
        .contains("OMP_NUM_THREADS = '1'")
        .contains("libtorch threads 1, between operations 1");
  }

  @Test
  void aLocalFolderIsLoadedInsteadOfTheJar(@TempDir Path folder) throws IOException {
    Matcher unpacked =
        Pattern.compile("loaded from (.*)").matcher(ForkedJvm.run(Probe.class, Map.of()).output());
    assertThat(unpacked.find()).isTrue();
    Path lib = folder.resolve("lib");
    Files.createSymbolicLink(lib, Path.of(unpacked.group(1)));
    Map<String, String> environment =
        Map.of("SEXTANT_LIBTORCH", folder.toString(), "SEXTANT_THREADS", "1");
    ForkedJvm.Result result = ForkedJvm.run(Probe.class, environment);
    assertThat(result.exit()).as(result.output()).isZero();
    assertThat(result.output()).contains("2.7.1 libtorch").contains("loaded from " + lib);

    Files.writeString(lib.resolveSibling("build-version"), "2.10.0+cpu");
    ForkedJvm.Result refused = ForkedJvm.run(Probe.class, environment);
    assertThat(refused.exit()).isNotZero();
    assertThat(refused.output()).contains("libtorch 2.10.0").doesNotContain("loaded from");
    Files.delete(lib);
  }

  /** Prepares, loads libtorch and prints its threads. */
  public static final class Probe {

    private Probe() {}

    public static void main(String[] args) {
      NativeRuntime.prepare();
      Engine engine = Engine.getEngine("PyTorch");
      System.out.printf(
          "%s libtorch threads %d, between operations %d%n",
          engine.getVersion(), JniUtils.getNumThreads(), JniUtils.getNumInteropThreads());
      System.out.println("loaded from " + LibUtils.getLibtorchPath());
    }
  }
}
