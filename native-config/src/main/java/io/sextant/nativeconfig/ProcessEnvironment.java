package io.sextant.nativeconfig;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.util.Optional;

/**
 * The environment of the process as native libraries see it. {@link System#getenv} is a copy that
 * Java took at start: what is set here does not show there, and child processes do not inherit it.
 *
 * <p>Thread safety: writing is not safe against native threads that read the environment at the
 * same time, which is why it is done once, before libtorch starts any.
 */
final class ProcessEnvironment {

  private ProcessEnvironment() {}

  /** Sets a variable for native code. False if this JVM cannot reach the C library. */
  static boolean set(String name, String value) {
    try {
      if (Platform.isWindows()) {
        // The C runtime's own function updates its table and the system's, and both are read.
        return windows("_putenv_s").invokeInt(new Object[] {name, value}) == 0;
      }
      return posix("setenv").invokeInt(new Object[] {name, value, 1}) == 0;
    } catch (LinkageError | RuntimeException e) {
      return false;
    }
  }

  /** Reads a variable as native code would; empty if it is not set or cannot be read. */
  static Optional<String> get(String name) {
    try {
      Function getenv = Platform.isWindows() ? windows("getenv") : posix("getenv");
      return Optional.ofNullable(getenv.invokeString(new Object[] {name}, false));
    } catch (LinkageError | RuntimeException e) {
      return Optional.ofNullable(System.getenv(name));
    }
  }

  private static Function posix(String name) {
    return NativeLibrary.getProcess().getFunction(name);
  }

  private static Function windows(String name) {
    return NativeLibrary.getInstance("ucrtbase").getFunction(name);
  }
}
