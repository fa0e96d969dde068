package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeConfigTest {

  private static NativeConfig from(Map<String, String> env) {
    return NativeConfig.fromEnvironment(env, new Properties());
  }

  @Test
  void theDefaultsAreQuietAndOffline() {
    NativeConfig config = from(Map.of());
    assertThat(config.flavor()).isEqualTo(Flavor.CPU);
    assertThat(config.libraryPath()).isEmpty();
    assertThat(config.threads()).isEqualTo(Cores.detect().physical());
    assertThat(config.interopThreads()).isEqualTo(1);
    assertThat(config.waitPolicy()).isEqualTo(WaitPolicy.PASSIVE);
    assertThat(config.allocator()).isEqualTo(AllocatorSettings.DEFAULT);
    assertThat(config.offline()).isTrue();
    assertThat(config.telemetry()).isFalse();
    assertThat(config).isEqualTo(NativeConfig.builder().flavor(Flavor.CPU).build());
  }

  @Test
  void everyVariableIsRead() {
    NativeConfig config =
        from(
            Map.of(
                "SEXTANT_FLAVOR", "cu128",
                "SEXTANT_LIBTORCH", "/opt/torch/../libtorch",
                "SEXTANT_THREADS", " 3 ",
                "SEXTANT_INTEROP_THREADS", "2",
                "SEXTANT_OMP_WAIT", "Active",
                "SEXTANT_MALLOC", "off",
                "SEXTANT_OFFLINE", "false",
                "SEXTANT_TELEMETRY", "true"));
    assertThat(config)
        .isEqualTo(
            NativeConfig.builder()
                .flavor(Flavor.CU128)
                .libraryPath(Path.of("/opt/libtorch"))
                .threads(3)
                .interopThreads(2)
                .waitPolicy(WaitPolicy.ACTIVE)
                .allocator(AllocatorSettings.UNCHANGED)
                .offline(false)
                .telemetry(true)
                .build());
    assertThat(config.toBuilder().build()).isEqualTo(config);
  }

  @Test
  void aPropertyGoesBeforeAVariable() {
    Properties properties = new Properties();
    properties.setProperty("sextant.threads", "5");
    assertThat(NativeConfig.fromEnvironment(Map.of("SEXTANT_THREADS", "3"), properties).threads())
        .isEqualTo(5);
  }

  @Test
  void aFolderMeansLocal() {
    assertThat(from(Map.of("SEXTANT_LIBTORCH", "/opt/libtorch")).flavor()).isEqualTo(Flavor.LOCAL);
    assertThat(from(Map.of("PYTORCH_LIBRARY_PATH", "/opt/libtorch")).flavor())
        .isEqualTo(Flavor.LOCAL);
  }

  @Test
  void whatTheUserToldOpenMpCounts() {
    assertThat(from(Map.of("OMP_NUM_THREADS", "4,2")).threads()).isEqualTo(4);
    assertThat(from(Map.of("OMP_NUM_THREADS", "4", "SEXTANT_THREADS", "6")).threads()).isEqualTo(6);
    assertThat(from(Map.of("OMP_WAIT_POLICY", "ACTIVE")).waitPolicy()).isEqualTo(WaitPolicy.ACTIVE);
    assertThat(from(Map.of("OMP_NUM_THREADS", "many")).threads())
        .isEqualTo(Cores.detect().physical());
  }

  @ParameterizedTest
  @CsvSource({
    "SEXTANT_FLAVOR,cuda,'[cpu, cu128, local]'",
    "SEXTANT_FLAVOR,local,SEXTANT_LIBTORCH",
    "SEXTANT_THREADS,0,1..4096",
    "SEXTANT_THREADS,-2,1..4096",
    "SEXTANT_THREADS,two,1..4096",
    "SEXTANT_THREADS,99999999999,1..4096",
    "SEXTANT_INTEROP_THREADS,0,1..4096",
    "SEXTANT_OMP_WAIT,never,passive or active",
    "SEXTANT_MALLOC,maybe,on or off",
    "SEXTANT_OFFLINE,yes,true or false",
    "SEXTANT_TELEMETRY,1,true or false",
  })
  void aWrongValueIsRefusedAndNamed(String variable, String value, String expected) {
    assertThatThrownBy(() -> from(Map.of(variable, value)))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(value)
        .hasMessageContaining(expected)
        .satisfies(
            e -> {
              if (!value.equals("local")) {
                assertThat(e).hasMessageContaining(variable);
              }
            });
  }

  @Test
  void aBlankValueCountsAsNone() {
    assertThat(from(Map.of("SEXTANT_THREADS", " ", "SEXTANT_LIBTORCH", "")))
        .isEqualTo(from(Map.of()));
  }

  @Test
  void aFolderThatWouldBeIgnoredIsRefused() {
    assertThatThrownBy(
            () -> from(Map.of("SEXTANT_FLAVOR", "cpu", "SEXTANT_LIBTORCH", "/opt/libtorch")))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("/opt/libtorch")
        .hasMessageContaining("flavor local");
  }

  @Test
  void allocatorSettingsAreBounded() {
    assertThatThrownBy(() -> new AllocatorSettings(33L << 20, 0, 0))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("mmapThresholdBytes")
        .hasMessageContaining("34603008");
    assertThatThrownBy(() -> new AllocatorSettings(0, -2, 0))
        .hasMessageContaining("trimThresholdBytes");
    assertThat(AllocatorSettings.UNCHANGED.environment()).isEmpty();
    assertThat(AllocatorSettings.DEFAULT.environment())
        .containsEntry("MALLOC_MMAP_THRESHOLD_", "33554432")
        .containsEntry("MALLOC_TRIM_THRESHOLD_", "268435456")
        .containsEntry("MALLOC_TOP_PAD_", "67108864");
  }
}
