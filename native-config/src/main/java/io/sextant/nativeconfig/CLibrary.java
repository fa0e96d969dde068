package io.sextant.nativeconfig;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the C library is and what can still be told to its allocator. */
final class CLibrary {

  private static final int M_TRIM_THRESHOLD = -1;
  private static final int M_TOP_PAD = -2;
  private static final int M_MMAP_THRESHOLD = -3;
  private static final Pattern OTHER_ALLOCATOR =
      Pattern.compile("/lib(jemalloc|tcmalloc|mimalloc)[^/]*$", Pattern.MULTILINE);

  private CLibrary() {}

  /** The version of glibc, {@code 2.36}; empty on any other C library. */
  static Optional<String> glibcVersion() {
    if (!Platform.isLinux()) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(
          NativeLibrary.getProcess()
              .getFunction("gnu_get_libc_version")
              .invokeString(new Object[0], false));
    } catch (LinkageError | RuntimeException e) {
      return Optional.empty();
    }
  }

  /** Whether the system's C library is musl, looked up without loading anything. */
  static boolean isMusl() {
    return isMusl(Path.of("/lib"));
  }

  static boolean isMusl(Path lib) {
    try (Stream<Path> files = Files.list(lib)) {
      return files.anyMatch(f -> f.getFileName().toString().startsWith("ld-musl-"))
          && !mapped().contains("/libc.so.6");
    } catch (IOException e) {
      return false;
    }
  }

  /** Which allocator serves malloc: one that was preloaded, else the C library's. */
  static String allocator() {
    Matcher m = OTHER_ALLOCATOR.matcher(mapped());
    if (m.find()) {
      return m.group(1);
    }
    if (Platform.isLinux()) {
      return glibcVersion().map(v -> "glibc " + v).orElse(isMusl() ? "musl" : "unknown");
    }
    return Platform.isMac() ? "macOS" : Platform.isWindows() ? "Windows" : "unknown";
  }

  /** Whether this process has libtorch loaded already; false where the system does not tell. */
  static boolean libtorchLoaded() {
    return mapped().contains("/libtorch_cpu.so");
  }

  /** Whether this process has an OpenBLAS loaded already; false where the system does not tell. */
  static boolean openBlasLoaded() {
    return mapped().contains("/libopenblas");
  }

  /** Tells the hints to glibc. Returns the names of those that it took. */
  static List<String> tell(AllocatorSettings settings) {
    List<String> taken = new ArrayList<>();
    if (glibcVersion().isPresent()) {
      tell(M_MMAP_THRESHOLD, settings.mmapThresholdBytes(), "mmapThreshold", taken);
      tell(M_TRIM_THRESHOLD, settings.trimThresholdBytes(), "trimThreshold", taken);
      tell(M_TOP_PAD, settings.topPadBytes(), "topPad", taken);
    }
    return List.copyOf(taken);
  }

  private static void tell(int parameter, long value, String name, List<String> taken) {
    if (value < 0) {
      return;
    }
    try {
      if (NativeLibrary.getProcess()
              .getFunction("mallopt")
              .invokeInt(new Object[] {parameter, Math.toIntExact(value)})
          == 1) {
        taken.add(name + "=" + value);
      }
    } catch (LinkageError | RuntimeException e) {
      // A C library without mallopt keeps its own settings, and the report shows which were taken.
    }
  }

  private static String mapped() {
    try {
      return Platform.isLinux() ? Files.readString(Path.of("/proc/self/maps")) : "";
    } catch (IOException e) {
      return "";
    }
  }
}
