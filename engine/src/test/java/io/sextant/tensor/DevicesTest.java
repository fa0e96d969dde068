package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import ai.djl.Device;
import io.sextant.DeviceUnavailableException;
import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.NativeReport;
import io.sextant.nativeconfig.NativeRuntime;
import io.sextant.nativeconfig.testing.ForkedJvm;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DevicesTest {

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999", "cpu:0", "cuda 0"})
  void otherNamesAreRefused(String name) {
    assertThatThrownBy(() -> Devices.parse(name))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'" + name + "'")
        .hasMessageContaining("auto, cpu, cuda or cuda:N");
  }

  @Test
  void aNameIsJudgedBeforeLibtorchIsLoaded() {
    ForkedJvm.Result result = ForkedJvm.run(Probe.class, Map.of());
    assertThat(result.exit()).as(result.output()).isZero();
    assertThat(result.output())
        .contains("cpu() unprepared")
        .contains("unknown device 'gpu': use auto, cpu, cuda or cuda:N unprepared");
  }

  /** Parses names and prints whether libtorch was prepared for it. */
  public static final class Probe {

    private Probe() {}

    public static void main(String[] args) {
      System.out.println(Devices.parse("cpu") + state());
      try {
        Devices.parse("gpu");
      } catch (InvalidInputException e) {
        System.out.println(e.getMessage() + state());
      }
    }

    private static String state() {
      return NativeRuntime.current().isEmpty() ? " unprepared" : " prepared";
    }
  }

  @Test
  void aDeviceThatIsNotThereIsNeverReplaced() {
    String beyond = "cuda:" + Devices.gpuCount();
    assertThatThrownBy(() -> Devices.parse(beyond))
        .isInstanceOf(DeviceUnavailableException.class)
        .hasMessageContaining(beyond)
        .hasMessageContaining("--device cpu");
  }

  @Test
  void aNumberBeyondTheLastIsToldTheLast() {
    assertThat(Devices.parse("cuda:0", () -> 1)).isEqualTo(Device.gpu(0));
    assertThat(Devices.parse("auto", () -> 1)).isEqualTo(Device.gpu(0));
    assertThatThrownBy(() -> Devices.parse("cuda:7", () -> 1))
        .isInstanceOf(DeviceUnavailableException.class)
        .hasMessageContaining("'cuda:7'")
        .hasMessageContaining("1 CUDA device(s) is cuda:0");
  }

  @Test
  void whyThereIsNoDeviceIsTold() {
    String why = NativeReport.inspect().noGpuBecause();
    assumeFalse(why.isEmpty(), "a GPU can be had here");
    assertThatThrownBy(() -> Devices.parse("cuda", () -> 0))
        .isInstanceOf(DeviceUnavailableException.class)
        .hasMessageContaining("sees no CUDA device: " + why);
  }

  @Test
  void namesAreReadInAnyCaseAndGivenBack() {
    assertThat(Devices.parse(" CPU ")).isEqualTo(Device.cpu());
    for (String name : Devices.available()) {
      assertThat(Devices.name(Devices.parse(name))).isEqualTo(name);
    }
    assertThat(Devices.available()).startsWith("cpu").hasSize(1 + Devices.gpuCount());
    assertThat(Devices.name(Devices.parse("auto")))
        .isEqualTo(Devices.gpuCount() > 0 ? "cuda:0" : "cpu");
  }
}
