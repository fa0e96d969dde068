package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.nativeconfig.testing.ForkedJvm;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Each case needs a process of its own, since a JVM is prepared once and for all. */
class NativeRuntimeTest {

  @Test
  void theEnvironmentOfTheProcessChanges() {
    ForkedJvm.Result result = ForkedJvm.run(Probe.class, Map.of("SEXTANT_THREADS", "3"));
    assertThat(result.exit()).as(result.output()).isZero();
    assertThat(result.output())
        .contains("native OMP_WAIT_POLICY=passive")
        .contains("native OMP_NUM_THREADS=3")
        .contains("java OMP_WAIT_POLICY=null")
        .contains("ai.djl.offline=true")
        .contains("OPT_OUT_TRACKING=true")
        .contains("ai.djl.pytorch.num_threads=3")
        .contains("ai.djl.pytorch.num_interop_threads=1")
        .contains("again: same")
        .contains("other: NativeConfigException")
        .contains("threads: 1 configuration")
        .contains("spinning: false");
    if (CLibrary.glibcVersion().isPresent()) {
      assertThat(result.output())
          .contains("[mmapThreshold=33554432, trimThreshold=268435456, topPad=67108864]");
    }
  }

  @Test
  void whatTheUserSetIsLeftAlone() {
    ForkedJvm.Result result =
        ForkedJvm.run(
            Probe.class,
            Map.of(
                "OMP_WAIT_POLICY", "active", "OMP_NUM_THREADS", "2", "MALLOC_TOP_PAD_", "65536"));
    assertThat(result.exit()).as(result.output()).isZero();
    assertThat(result.output())
        .contains("native OMP_WAIT_POLICY=active")
        .contains("native OMP_NUM_THREADS=2")
        .contains("ai.djl.pytorch.num_threads=2")
        .contains("allocator []")
        .contains("told by MALLOC_TOP_PAD_")
        .contains("spinning: true");
  }

  @Test
  void whatIsRefusedChangesNothing() {
    ForkedJvm.Result result =
        ForkedJvm.run(Probe.class, Map.of("SEXTANT_LIBTORCH", "/no/such/folder"));
    assertThat(result.exit()).as(result.output()).isEqualTo(2);
    assertThat(result.output())
        .contains("refused: the local libtorch: the folder /no/such/folder does not exist")
        .contains("ai.djl.offline=null")
        .contains("native OMP_WAIT_POLICY=null");
  }

  /** Prepares and prints what came of it. */
  public static final class Probe {

    private Probe() {}

    public static void main(String[] args) throws Exception {
      NativeConfig config;
      try {
        config = NativeRuntime.prepare();
      } catch (NativeConfigException e) {
        print("refused: " + e.getMessage());
        show();
        System.exit(2);
        return;
      }
      show();
      print("again: " + (NativeRuntime.prepare(config).equals(config) ? "same" : "different"));
      try {
        NativeRuntime.prepare(config.toBuilder().threads(config.threads() + 1).build());
        print("other: accepted");
      } catch (NativeConfigException e) {
        print("other: NativeConfigException " + e.getMessage());
      }
      ExecutorService pool = Executors.newFixedThreadPool(8);
      List<Future<NativeConfig>> all =
          pool.invokeAll(Collections.nCopies(64, (Callable<NativeConfig>) NativeRuntime::prepare));
      long distinct =
          all.stream()
              .map(
                  f -> {
                    try {
                      return System.identityHashCode(f.get());
                    } catch (Exception e) {
                      throw new IllegalStateException(e);
                    }
                  })
              .distinct()
              .count();
      pool.shutdown();
      print("threads: " + distinct + " configuration");
      NativeReport report = NativeReport.inspect();
      print(
          "spinning: "
              + report.warnings().stream().anyMatch(w -> w.code().equals("spinning-openmp")));
      print("report " + report.allocator());
    }

    private static void show() {
      for (String name : new String[] {"OMP_WAIT_POLICY", "OMP_NUM_THREADS"}) {
        print("native " + name + "=" + ProcessEnvironment.get(name).orElse("null"));
        print("java " + name + "=" + System.getenv(name));
      }
      for (String name :
          new String[] {
            "ai.djl.offline",
            "OPT_OUT_TRACKING",
            "ai.djl.pytorch.num_threads",
            "ai.djl.pytorch.num_interop_threads"
          }) {
        print(name + "=" + System.getProperty(name));
      }
      NativeRuntime.state().ifPresent(s -> print("allocator " + s.allocator()));
    }

    private static void print(String line) {
      System.out.println(line);
    }
  }
}
