package io.sextant.nativeconfig;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a launcher should put on the command line and into the environment of a JVM that runs
 * Sextant. A process that was started without them works too: {@link NativeRuntime#prepare} sets
 * what can still be set.
 *
 * <p>Thread safety: immutable.
 *
 * @param jvmFlags flags of the {@code java} command, in order
 * @param environment variables by name
 */
public record LaunchFlags(List<String> jvmFlags, Map<String, String> environment) {

  /** The first JDK that prints a warning when a library loads native code without permission. */
  static final int FIRST_JDK_THAT_WARNS = 24;

  public LaunchFlags {
    jvmFlags = List.copyOf(jvmFlags);
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
  }

  /** The flags for the JDK that runs this code. */
  public static LaunchFlags forRunningJdk(NativeConfig config) {
    return forJdk(Runtime.version().feature(), config);
  }

  /**
   * The flags for some JDK.
   *
   * @param feature its feature version: 17, 25
   * @param config what the launched process is to use
   */
  public static LaunchFlags forJdk(int feature, NativeConfig config) {
    List<String> flags = new ArrayList<>();
    // The flag exists since 22; DJL and JNA load native code from 24 on only with a warning.
    if (feature >= 22) {
      flags.add("--enable-native-access=ALL-UNNAMED");
    }
    flags.add("-Dai.djl.offline=" + config.offline());
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("OMP_WAIT_POLICY", config.waitPolicy().id());
    environment.put("OMP_NUM_THREADS", Integer.toString(config.threads()));
    if (!config.telemetry()) {
      environment.put("OPT_OUT_TRACKING", "true");
    }
    environment.putAll(config.allocator().environment());
    return new LaunchFlags(flags, environment);
  }
}
