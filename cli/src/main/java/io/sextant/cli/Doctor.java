package io.sextant.cli;

import io.sextant.DeviceUnavailableException;
import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.NativeReport;
import io.sextant.nativeconfig.OpenBlas;
import io.sextant.tensor.Devices;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What was loaded and why, what would be slow, and how to mend it. */
@Command(name = "doctor", description = "Says what is loaded, what is slow and what is missing.")
final class Doctor implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--require", description = "fail with status 1 unless there is this: cuda")
  private @Nullable String require;

  @Override
  public Integer call() {
    if (require != null && !require.equals("cuda")) {
      throw new InvalidInputException("--require knows cuda but not '" + require + "'");
    }
    String device;
    try {
      device = Devices.name(common.device());
    } catch (DeviceUnavailableException e) {
      device = "absent: " + e.getMessage();
    }
    NativeReport report = NativeReport.inspect();
    System.out.println("engine: " + Devices.engine());
    System.out.println("devices: " + Devices.available());
    String blas = OpenBlas.shared().map(OpenBlas::description).orElse("none, libtorch multiplies");
    System.out.println("exact search on the CPU: " + blas);
    report.lines().forEach(System.out::println);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("engine", Devices.engine());
    result.put("libtorch", report.libtorch().orElse("unknown"));
    result.put("flavor", report.flavor());
    result.put("devices", Devices.available());
    result.put("threads", report.threads());
    result.put("allocator", report.allocator());
    result.put("blas", blas);
    result.put("warnings", report.warnings().stream().map(Object::toString).toList());
    common.write("doctor", device, result);
    if (require != null && Devices.gpuCount() == 0) {
      String why = report.noGpuBecause();
      System.err.println(
          "sextant: cuda is required but this process sees no CUDA device"
              + (why.isEmpty() ? "" : ": " + why));
      return 1;
    }
    return 0;
  }
}
