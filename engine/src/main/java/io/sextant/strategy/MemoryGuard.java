package io.sextant.strategy;

import ai.djl.engine.EngineException;
import com.sun.management.OperatingSystemMXBean;
import io.sextant.InvalidInputException;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.function.Supplier;

/** Turns a lack of memory into an error that says which strategy lacks it and how to need less. */
final class MemoryGuard {

  /** The rest is for the data, the heap and the other processes. */
  private static final double USABLE_SHARE = 0.8;

  private MemoryGuard() {}

  /**
   * Runs a fit.
   *
   * @param remedy how to need less, as an imperative
   * @throws InvalidInputException if the heap or the device's memory does not suffice
   */
  static <T> T run(String strategy, String remedy, Supplier<T> fit) {
    try {
      return fit.get();
    } catch (OutOfMemoryError e) {
      throw new InvalidInputException(
          "strategy '%s' needs more memory than there is (%s): %s, or give the JVM more with -Xmx"
              .formatted(strategy, e.getMessage(), remedy),
          e);
    } catch (EngineException e) {
      if (!String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains("memory")) {
        throw e;
      }
      throw new InvalidInputException(
          "strategy '%s' needs more memory than its device has: %s".formatted(strategy, remedy), e);
    }
  }

  /**
   * Refuses native memory that the machine does not have: the kernel would grant it and later end
   * the process.
   */
  static void requireNative(String strategy, long bytes, String remedy) {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        && bytes > USABLE_SHARE * system.getTotalMemorySize()) {
      throw new InvalidInputException(
          "strategy '%s' needs %d MB of memory but the machine has %d MB: %s"
              .formatted(strategy, bytes >> 20, system.getTotalMemorySize() >> 20, remedy));
    }
  }
}
