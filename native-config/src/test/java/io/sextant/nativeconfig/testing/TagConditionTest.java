package io.sextant.nativeconfig.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.sextant.nativeconfig.NativeReport;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TagConditionTest {

  @Test
  void anUntaggedTestRuns() {
    assertThat(TagCondition.missing(Set.of(), null, false)).isEmpty();
  }

  @Test
  void aDataTestNeedsTheFolder(@TempDir Path folder) {
    assertThat(TagCondition.missing(Set.of("data"), null, false).orElseThrow())
        .contains("SEXTANT_DATA is not set");
    assertThat(TagCondition.missing(Set.of("data"), folder + "/absent", false).orElseThrow())
        .contains("no folder");
    assertThat(TagCondition.missing(Set.of("data"), folder.toString(), false)).isEmpty();
  }

  @Test
  void aSlowTestIsAskedFor() {
    assertThat(TagCondition.missing(Set.of("slow"), null, false).orElseThrow())
        .contains("sextant.slow");
    assertThat(TagCondition.missing(Set.of("slow"), null, true)).isEmpty();
  }

  @Test
  @Tag("gpu")
  void aGpuTestRunsOnlyWithADevice() {
    // Runs by the extension alone: without a device this line is never reached.
    if (NativeReport.inspect().driverDevices() == 0) {
      fail("a gpu test ran without a device");
    }
  }
}
