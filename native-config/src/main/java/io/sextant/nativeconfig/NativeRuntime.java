package io.sextant.nativeconfig;

import java.io.File;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepares this JVM for libtorch, once, before DJL's first class is used: libtorch and its OpenMP
 * read the environment and DJL its system properties while they load and never again.
 *
 * <p>Thread safety: all methods may be called from any thread.
 */
public final class NativeRuntime {

  private static final Logger log = LoggerFactory.getLogger(NativeRuntime.class);

  private static @Nullable State state;

  private NativeRuntime() {}

  /**
   * What was done.
   *
   * @param config with which configuration
   * @param library the folder whose libtorch DJL was pointed to, if any
   * @param environment variables that were set in the process, by name
   * @param kept variables that the user had set and that were therefore left alone
   * @param allocator hints that the C library took
   * @param tooLate whether libtorch had been loaded before, so that little of it has an effect
   */
  record State(
      NativeConfig config,
      Optional<LocalLibtorch> library,
      Map<String, String> environment,
      List<String> kept,
      List<String> allocator,
      boolean tooLate) {}

  /**
   * Prepares with what the environment asks for, unless a configuration is in place already, which
   * then stays.
   */
  public static synchronized NativeConfig prepare() {
    State current = state;
    return current != null ? current.config : prepare(NativeConfig.fromEnvironment());
  }

  /**
   * Prepares this JVM. A second call with an equal configuration does nothing.
   *
   * @return the configuration in place
   * @throws NativeConfigException if the native libraries cannot be had as configured (nothing is
   *     changed then), or if another configuration is in place already
   */
  public static synchronized NativeConfig prepare(NativeConfig config) {
    State current = state;
    if (current != null) {
      if (!current.config.equals(config)) {
        throw new NativeConfigException(
            "libtorch is configured once per JVM, and this one has %s already; it cannot change to %s. Configure it before the first tensor, in one place"
                .formatted(current.config, config));
      }
      return config;
    }
    Map<String, String> env = System.getenv();
    Optional<LocalLibtorch> library = NativeChecks.library(config, env, System.getProperties());
    boolean tooLate = CLibrary.libtorchLoaded();
    Map<String, String> set = new LinkedHashMap<>();
    List<String> kept = new ArrayList<>();
    setUnlessUserDid("OMP_WAIT_POLICY", config.waitPolicy().id(), env, set, kept);
    // A thread that never passes through libtorch's own setting (MKL's, for one) goes by this.
    setUnlessUserDid("OMP_NUM_THREADS", Integer.toString(config.threads()), env, set, kept);
    List<String> allocator = List.of();
    if (env.keySet().stream().noneMatch(name -> name.startsWith("MALLOC_"))) {
      allocator = CLibrary.tell(config.allocator());
    }
    properties(config, library).forEach(System::setProperty);
    if (library.isPresent() && library.get().cuda()) {
      Preload.what(library.get().folder());
      CudaDriver driver = CudaDriver.probe();
      if (driver.devices() == 0) {
        log.warn("the CUDA build of libtorch computes on the CPU: {}", driver.problem());
      }
    }
    if (tooLate) {
      log.warn(
          "libtorch was loaded before NativeRuntime.prepare: threads and the OpenMP wait policy may not be as configured; prepare first");
    }
    state = new State(config, library, Map.copyOf(set), List.copyOf(kept), allocator, tooLate);
    log.debug("prepared for libtorch: {}", state);
    return config;
  }

  /** The configuration in place, or empty if this JVM was not prepared yet. */
  public static synchronized Optional<NativeConfig> current() {
    return Optional.ofNullable(state).map(State::config);
  }

  static synchronized Optional<State> state() {
    return Optional.ofNullable(state);
  }

  private static void setUnlessUserDid(
      String name,
      String value,
      Map<String, String> env,
      Map<String, String> set,
      List<String> kept) {
    if (env.containsKey(name)) {
      kept.add(name);
    } else if (ProcessEnvironment.set(name, value)) {
      set.put(name, value);
    } else {
      log.warn("cannot set {} in this process; start it with {}={}", name, name, value);
    }
  }

  /** DJL's system properties. A variable of the same name would win over them: see the checks. */
  static Map<String, String> properties(NativeConfig config, Optional<LocalLibtorch> library) {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("ai.djl.offline", Boolean.toString(config.offline()));
    if (!config.telemetry()) {
      properties.put("OPT_OUT_TRACKING", "true");
    }
    properties.put("ai.djl.pytorch.num_threads", Integer.toString(config.threads()));
    properties.put("ai.djl.pytorch.num_interop_threads", Integer.toString(config.interopThreads()));
    // All three, or DJL guesses a flavour for whose name no JNI library exists.
    library.ifPresent(
        l -> {
          properties.put("PYTORCH_LIBRARY_PATH", l.folder().toString());
          properties.put("PYTORCH_VERSION", LocalLibtorch.VERSION);
          properties.put("PYTORCH_FLAVOR", l.cuda() ? Flavor.CU128.id() : Flavor.CPU.id());
          if (l.cuda()) {
            // DJL counts devices through JNA and CUDA's runtime library, which is in that folder.
            String before = System.getProperty("jna.library.path", "");
            properties.put(
                "jna.library.path",
                l.folder() + (before.isEmpty() ? "" : File.pathSeparator + before));
          }
        });
    if (library.isEmpty() && config.flavor() == Flavor.CU128) {
      properties.put("PYTORCH_VERSION", LocalLibtorch.VERSION);
      properties.put("PYTORCH_FLAVOR", Flavor.CU128.id());
    }
    return properties;
  }
}
