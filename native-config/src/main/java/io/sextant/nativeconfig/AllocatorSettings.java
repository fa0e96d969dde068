package io.sextant.nativeconfig;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Hints to glibc's malloc, which is what libtorch's CPU tensors come from. Out of the box glibc
 * hands every block above its threshold back to the kernel at each free, and each new one faults in
 * page by page. The three belong together: setting any one of them stops glibc from adapting the
 * others.
 *
 * <p>A launcher sets them as {@code MALLOC_*} variables; where there is no launcher they are set by
 * {@code mallopt}, which works at any time before the large blocks are allocated. Other allocators
 * (musl, jemalloc, macOS, Windows) ignore them.
 *
 * @param mmapThresholdBytes blocks of this size and more bypass the heap; glibc allows 32 MiB at
 *     most; -1 leaves glibc's own
 * @param trimThresholdBytes free memory at the top of a heap that is kept; -1 leaves glibc's own
 * @param topPadBytes how much more than needed is taken from the kernel; -1 leaves glibc's own
 */
public record AllocatorSettings(
    long mmapThresholdBytes, long trimThresholdBytes, long topPadBytes) {

  private static final long MIB = 1L << 20;

  /** Tensors below 32 MiB stay in the heap, up to 256 MiB of it is kept, 64 MiB steps. */
  public static final AllocatorSettings DEFAULT =
      new AllocatorSettings(32 * MIB, 256 * MIB, 64 * MIB);

  /** The allocator is left as it is. */
  public static final AllocatorSettings UNCHANGED = new AllocatorSettings(-1, -1, -1);

  public AllocatorSettings {
    check("mmapThresholdBytes", mmapThresholdBytes, 32 * MIB);
    check("trimThresholdBytes", trimThresholdBytes, Integer.MAX_VALUE);
    check("topPadBytes", topPadBytes, Integer.MAX_VALUE);
  }

  private static void check(String name, long value, long max) {
    if (value < -1 || value > max) {
      throw new NativeConfigException(
          name + " must be in 0.." + max + ", or -1 for glibc's own, but was " + value);
    }
  }

  /** The variables that say the same to glibc when a process starts. */
  public Map<String, String> environment() {
    Map<String, String> variables = new LinkedHashMap<>();
    put(variables, "MALLOC_MMAP_THRESHOLD_", mmapThresholdBytes);
    put(variables, "MALLOC_TRIM_THRESHOLD_", trimThresholdBytes);
    put(variables, "MALLOC_TOP_PAD_", topPadBytes);
    return variables;
  }

  private static void put(Map<String, String> variables, String name, long value) {
    if (value >= 0) {
      variables.put(name, Long.toString(value));
    }
  }
}
