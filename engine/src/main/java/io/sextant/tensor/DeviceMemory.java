package io.sextant.tensor;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Tells a failed allocation from other failures of libtorch, which come as one exception with a
 * message.
 *
 * <p>Thread safety: stateless.
 */
public final class DeviceMemory {

  /** What CUDA, cuBLAS, libtorch's allocator on the CPU and those of other devices write. */
  private static final List<String> MESSAGES =
      List.of(
          "out of memory",
          "can't allocate memory",
          "not enough memory",
          "cublas_status_alloc_failed",
          "cudaerrormemoryallocation");

  private DeviceMemory() {}

  /** Whether it, or what caused it, is a device's refusal of memory. */
  public static boolean isExhausted(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = cause.getMessage();
      if (message != null && !(cause instanceof VirtualMachineError)) {
        String lower = message.toLowerCase(Locale.ROOT);
        if (MESSAGES.stream().anyMatch(lower::contains)) {
          return true;
        }
      }
    }
    return false;
  }
}
