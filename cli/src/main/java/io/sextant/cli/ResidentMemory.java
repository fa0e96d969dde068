package io.sextant.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Resident memory of this process as Linux counts it, in MB; -1 where the system does not tell.
 *
 * <p>Thread safety: one thread measures at a time.
 */
final class ResidentMemory {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");
  private static final String CLEAR_PEAK = "5";

  /** The peak of what was before the kernel's counter was last set back. */
  private static long peakBefore = -1;

  private ResidentMemory() {}

  /** The largest that it ever was. */
  static synchronized long peakMb() {
    return Math.max(peakBefore, field("VmHWM:"));
  }

  /** Begins to watch how far it grows: garbage of the heap that was not collected counts, too. */
  static synchronized Growth watch() {
    peakBefore = peakMb();
    try {
      Files.writeString(CLEAR, CLEAR_PEAK);
    } catch (IOException e) {
      return () -> -1;
    }
    long start = field("VmRSS:");
    return () -> start < 0 ? -1 : Math.max(0, field("VmHWM:") - start);
  }

  /** The peak since the beginning above what was there then. */
  interface Growth {
    long megabytes();
  }

  private static long field(String name) {
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
          .findFirst()
          .orElse(-1);
    } catch (IOException e) {
      return -1;
    }
  }
}
