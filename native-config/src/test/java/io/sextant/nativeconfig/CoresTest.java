package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CoresTest {

  /** Eight processors on four cores: n and n + 4 are siblings. */
  private static Path machine(Path root) throws IOException {
    Path cpus = root.resolve("cpu");
    Files.createDirectories(cpus);
    Files.writeString(cpus.resolve("online"), "0-7\n");
    for (int i = 0; i < 8; i++) {
      Path topology = Files.createDirectories(cpus.resolve("cpu" + i).resolve("topology"));
      Files.writeString(
          topology.resolve("thread_siblings_list"), (i % 4) + "," + (i % 4 + 4) + "\n");
    }
    return cpus;
  }

  private static Path status(Path root, String list) throws IOException {
    return Files.writeString(
        root.resolve("status"), "Name:\tjava\nCpus_allowed_list:\t" + list + "\nSeccomp:\t0\n");
  }

  @Test
  void siblingsCountOnce(@TempDir Path root) throws IOException {
    assertThat(Cores.detect(machine(root), status(root, "0-7"), 8)).isEqualTo(new Cores(8, 4, 8));
  }

  @Test
  void affinityAndTheContainersLimitAreTakenOff(@TempDir Path root) throws IOException {
    Path cpus = machine(root);
    assertThat(Cores.detect(cpus, status(root, "0,4"), 2)).isEqualTo(new Cores(2, 1, 8));
    assertThat(Cores.detect(cpus, status(root, "0-7"), 3)).isEqualTo(new Cores(3, 3, 8));
    assertThat(Cores.detect(cpus, status(root, "0-7"), 1)).isEqualTo(new Cores(1, 1, 8));
  }

  @Test
  void withoutTopologyEveryProcessorIsACore(@TempDir Path root) {
    assertThat(Cores.detect(root.resolve("none"), root.resolve("none"), 6))
        .isEqualTo(new Cores(6, 6, 6));
  }

  @Test
  void theKernelsListNotation() {
    assertThat(Cores.parseList("0-3,8,10-11\n").stream()).containsExactly(0, 1, 2, 3, 8, 10, 11);
    assertThat(Cores.parseList("").isEmpty()).isTrue();
    assertThat(Cores.parseList("3-1").isEmpty()).isTrue();
    assertThat(Cores.parseList("a-b").isEmpty()).isTrue();
  }

  @Test
  void onePerPhysicalCoreUnlessTheUserToldOpenMp() {
    Cores cores = new Cores(8, 4, 16);
    assertThat(cores.defaultThreads(OptionalInt.empty())).isEqualTo(4);
    assertThat(cores.defaultThreads(OptionalInt.of(7))).isEqualTo(7);
  }
}
