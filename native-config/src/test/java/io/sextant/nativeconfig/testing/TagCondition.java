package io.sextant.nativeconfig.testing;

import io.sextant.nativeconfig.NativeReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Skips a tagged test, with the reason, where what its tag needs is absent: {@code gpu} a CUDA
 * device and a CUDA libtorch, {@code data} the folder SEXTANT_DATA, {@code slow} the property
 * sextant.slow=true.
 */
public final class TagCondition implements ExecutionCondition {

  /** Asked once: it loads the driver. */
  private static final class Gpu {
    static final Optional<String> MISSING = reason(NativeReport.inspect());

    private static Optional<String> reason(NativeReport report) {
      if (report.driverDevices() == 0) {
        return Optional.of("tag gpu: NVIDIA's driver reports no CUDA device here");
      }
      return report.flavor().startsWith("cu")
          ? Optional.empty()
          : Optional.of(
              "tag gpu: a CUDA device is here but libtorch is the "
                  + report.flavor()
                  + " build; set SEXTANT_LIBTORCH to a CUDA build");
    }
  }

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    Optional<String> missing =
        missing(
            context.getTags(), System.getenv("SEXTANT_DATA"), Boolean.getBoolean("sextant.slow"));
    return missing
        .map(ConditionEvaluationResult::disabled)
        .orElseGet(
            () -> ConditionEvaluationResult.enabled("nothing that its tags need is missing"));
  }

  /** Why a test with these tags cannot run, or empty if it can. */
  static Optional<String> missing(Set<String> tags, @Nullable String data, boolean slow) {
    if (tags.contains("slow") && !slow) {
      return Optional.of("tag slow: run with -Dsextant.slow=true");
    }
    if (tags.contains("data") && (data == null || !Files.isDirectory(Path.of(data)))) {
      return Optional.of(
          data == null
              ? "tag data: the variable SEXTANT_DATA is not set to the folder with the data sets"
              : "tag data: SEXTANT_DATA is '" + data + "', which is no folder");
    }
    return tags.contains("gpu") ? Gpu.MISSING : Optional.empty();
  }
}
