package io.sextant;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import io.sextant.nativeconfig.NativeRuntime;
import io.sextant.nativeconfig.testing.ForkedJvm;
import java.util.Map;
import org.junit.jupiter.api.Test;

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

  /** Prepares, loads libtorch and prints its threads. */
  public static final class Probe {

    private Probe() {}

    public static void main(String[] args) {
      NativeRuntime.prepare();
      Engine engine = Engine.getEngine("PyTorch");
      System.out.printf(
          "%s libtorch threads %d, between operations %d%n",
          engine.getVersion(), JniUtils.getNumThreads(), JniUtils.getNumInteropThreads());
    }
  }
}
