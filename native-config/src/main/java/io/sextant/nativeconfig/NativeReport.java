package io.sextant.nativeconfig;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What the doctor can say without loading libtorch: which native files there are and which are
 * taken, why, with how many threads, and what would be slow or missing. Devices as libtorch sees
 * them are the engine's to add.
 *
 * <p>Thread safety: immutable.
 *
 * @param platform the classifier of the platform, {@code linux-x86_64}
 * @param cLibrary the C library and its version, {@code glibc 2.36}, {@code musl}
 * @param java vendor and version of the JVM
 * @param nativeAccess whether this JVM lets classes load native code without a warning
 * @param jars the pytorch-native and pytorch-jni jars on the class path
 * @param flavor the build of libtorch: {@code cpu} or {@code cu128}
 * @param flavorReason why this one
 * @param libtorch its version; empty if no file tells
 * @param libraryPath the folder it is loaded from, or is unpacked into from its jar
 * @param threads threads of one operation on the CPU
 * @param interopThreads threads that run operations beside each other
 * @param availableCores processors that the JVM may use: affinity and container limits taken off
 * @param physicalCores distinct physical cores among them
 * @param onlineCores processors of the machine
 * @param ompWaitPolicy the policy in the environment of the process, as libtorch reads it; empty if
 *     it is not set
 * @param allocator who serves malloc, and which hints it was given
 * @param offline whether DJL may not download
 * @param telemetry whether DJL may call home
 * @param driverDevices CUDA devices that NVIDIA's driver reports; 0 without a driver
 * @param noGpuBecause what keeps libtorch from computing on a GPU, in words; empty if it can be
 *     expected to
 * @param warnings what to mend, the worst first
 */
public record NativeReport(
    String platform,
    String cLibrary,
    String java,
    boolean nativeAccess,
    List<NativeJar> jars,
    String flavor,
    String flavorReason,
    Optional<String> libtorch,
    Optional<Path> libraryPath,
    int threads,
    int interopThreads,
    int availableCores,
    int physicalCores,
    int onlineCores,
    Optional<String> ompWaitPolicy,
    String allocator,
    boolean offline,
    boolean telemetry,
    int driverDevices,
    String noGpuBecause,
    List<NativeWarning> warnings) {

  public NativeReport {
    jars = List.copyOf(jars);
    warnings = List.copyOf(warnings);
  }

  /**
   * Looks at this process as it is: prepared with {@link NativeRuntime#prepare}, or not yet, in
   * which case the report is on what the environment asks for. Loads nothing of libtorch.
   */
  public static NativeReport inspect() {
    return inspect(NativeRuntime.current().orElseGet(NativeConfig::fromEnvironment));
  }

  /** Looks at this process in the light of a configuration, whether it is in place or not. */
  public static NativeReport inspect(NativeConfig config) {
    Map<String, String> env = System.getenv();
    Properties properties = System.getProperties();
    Facts facts =
        new Facts(
            NativePlatform.classifier(),
            env,
            properties,
            DjlCache.folder(env, properties),
            NativeJar.onClassPath(),
            Cores.detect(),
            CLibrary.glibcVersion(),
            CLibrary.isMusl(),
            CLibrary.allocator(),
            ProcessEnvironment.get("OMP_WAIT_POLICY"),
            NativeConfig.ompNumThreads(env).isPresent()
                ? NativeConfig.ompNumThreads(env).getAsInt()
                : 0,
            Runtime.version().feature(),
            nativeAccessEnabled(),
            CudaDriver.probe(),
            NativeRuntime.state());
    return of(config, facts);
  }

  /** Everything that is looked up in the process, so that the judgement below can be tested. */
  record Facts(
      String platform,
      Map<String, String> env,
      Properties properties,
      Path cache,
      List<NativeJar> jars,
      Cores cores,
      Optional<String> glibc,
      boolean musl,
      String allocator,
      Optional<String> ompWaitPolicy,
      int ompNumThreads,
      int jdk,
      boolean nativeAccess,
      CudaDriver driver,
      Optional<NativeRuntime.State> state) {}

  static NativeReport of(NativeConfig config, Facts facts) {
    List<NativeWarning> warnings = new ArrayList<>();
    Optional<LocalLibtorch> library = Optional.empty();
    try {
      library = NativeChecks.library(config, facts.env, facts.cache, facts.jars, facts.platform);
    } catch (NativeConfigException e) {
      error(warnings, "native-libraries", e.getMessage(), "Until then libtorch cannot be loaded");
    }
    String flavor =
        library
            .map(l -> l.cuda() ? Flavor.CU128.id() : Flavor.CPU.id())
            .orElse(config.flavor().id());
    Optional<NativeJar> jar =
        facts.jars.stream()
            .filter(
                j ->
                    j.isNative()
                        && j.flavor().equals(flavor)
                        && j.classifier().equals(facts.platform))
            .findFirst();
    Optional<String> version =
        library.isPresent() ? library.get().version() : jar.map(NativeJar::version);
    Optional<Path> path =
        library
            .map(LocalLibtorch::folder)
            .or(() -> DjlCache.find(facts.cache, flavor, facts.platform));
    checkJars(facts, library, warnings);
    checkSystem(facts, warnings);
    checkOpenMp(config, facts, warnings);
    checkThreads(config, facts, warnings);
    checkDevices(flavor, facts, warnings);
    checkJvm(config, facts, warnings);
    warnings.sort(Comparator.comparing(NativeWarning::level).reversed());
    String hints =
        facts
            .state
            .filter(s -> !s.allocator().isEmpty())
            .map(s -> ", told " + String.join(", ", s.allocator()))
            .orElseGet(() -> mallocVariables(facts.env));
    return new NativeReport(
        facts.platform,
        facts.glibc.map(v -> "glibc " + v).orElse(facts.musl ? "musl" : "unknown"),
        System.getProperty("java.vendor") + " " + System.getProperty("java.version"),
        facts.nativeAccess,
        facts.jars,
        flavor,
        reason(config, facts, jar),
        version,
        path,
        config.threads(),
        config.interopThreads(),
        facts.cores.available(),
        facts.cores.physical(),
        facts.cores.online(),
        facts.ompWaitPolicy,
        facts.allocator + hints,
        config.offline(),
        config.telemetry(),
        facts.driver.devices(),
        noGpu(flavor, facts.driver),
        warnings);
  }

  /** Whether anything was found that keeps libtorch from being loaded. */
  public boolean hasErrors() {
    return warnings.stream().anyMatch(w -> w.level() == NativeWarning.Level.ERROR);
  }

  /** The report as lines of text for people. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add("platform      " + platform + ", " + cLibrary);
    lines.add("java          " + java + (nativeAccess ? "" : ", no native access flag"));
    lines.add("flavor        " + flavor + " (" + flavorReason + ")");
    lines.add(
        "libtorch      "
            + libtorch.orElse("unknown version")
            + libraryPath.map(p -> " in " + p).orElse(""));
    for (NativeJar jar : jars) {
      String details =
          String.join(" ", jar.artifact(), jar.version(), jar.flavor(), jar.classifier());
      lines.add("jar           " + details.strip() + ", " + jar.location());
    }
    lines.add(
        "threads       %d of %d processors (%d physical cores, %d in the machine), %d between operations"
            .formatted(threads, availableCores, physicalCores, onlineCores, interopThreads));
    lines.add("openmp        OMP_WAIT_POLICY=" + ompWaitPolicy.orElse("(not set)"));
    lines.add("allocator     " + allocator);
    lines.add(
        "network       "
            + (offline ? "offline" : "downloads allowed")
            + (telemetry ? ", telemetry on" : ", no telemetry"));
    lines.add("driver        " + driverDevices + " CUDA device(s)");
    for (NativeWarning warning : warnings) {
      lines.add(warning.toString());
    }
    return List.copyOf(lines);
  }

  private static String reason(NativeConfig config, Facts facts, Optional<NativeJar> jar) {
    if (facts.properties.getProperty("sextant.flavor") != null
        || facts.env.get("SEXTANT_FLAVOR") != null) {
      return "SEXTANT_FLAVOR says " + config.flavor().id();
    }
    if (config.libraryPath().isPresent()) {
      return "the folder " + config.libraryPath().get() + " was given";
    }
    if (jar.isPresent()) {
      return "the jar on the class path is for it";
    }
    return NativeConfig.builtFor().isPresent()
        ? "the build was made for it"
        : "nothing else was asked for";
  }

  private static String mallocVariables(Map<String, String> env) {
    List<String> set =
        env.keySet().stream().filter(name -> name.startsWith("MALLOC_")).sorted().toList();
    return set.isEmpty() ? ", no hints" : ", told by " + String.join(", ", set);
  }

  private static void checkJars(
      Facts facts, Optional<LocalLibtorch> library, List<NativeWarning> warnings) {
    List<NativeJar> natives = facts.jars.stream().filter(NativeJar::isNative).toList();
    if (natives.size() > 1) {
      warn(
          warnings,
          "several-pytorch-native-jars",
          natives.size()
              + " pytorch-native jars are on the class path: "
              + natives.stream().map(NativeJar::location).toList(),
          "Keep the one that is meant: DJL takes the highest flavour that fits, not the first");
    }
    if (library.isPresent() && !natives.isEmpty()) {
      warn(
          warnings,
          "jar-beside-local-libtorch",
          "a local libtorch is used, so the pytorch-native jar is dead weight: "
              + natives.get(0).location(),
          "Build with -P local-libtorch, or exclude ai.djl.pytorch:pytorch-native-cpu");
    }
    for (NativeJar jar : natives) {
      if (!jar.classifier().equals(facts.platform)) {
        warn(
            warnings,
            "foreign-pytorch-native-jar",
            jar.location() + " is for " + jar.classifier() + ", this is " + facts.platform,
            "Take the classifier " + facts.platform);
      }
    }
    if (library.isPresent() && library.get().version().isEmpty()) {
      warn(
          warnings,
          "unknown-libtorch-version",
          "no file in " + library.get().folder() + " tells its version",
          "Make sure that it is libtorch "
              + LocalLibtorch.VERSION
              + " and write that into a file build-version beside it");
    }
  }

  private static void checkSystem(Facts facts, List<NativeWarning> warnings) {
    if (!facts.platform.startsWith("linux")) {
      return;
    }
    if (facts.musl) {
      error(
          warnings,
          "musl",
          "this system's C library is musl, and libtorch is built for glibc",
          "Use an image with glibc 2.29 or newer (Debian, Ubuntu, RHEL 9)");
    }
    facts.glibc.ifPresent(
        v -> {
          if (isOlder(v, 2, 29)) {
            error(
                warnings,
                "old-glibc",
                "glibc is " + v + ", and DJL's JNI library needs 2.29",
                "Use a newer system image (Debian 11, Ubuntu 20.04, RHEL 9 or later)");
          }
        });
  }

  static boolean isOlder(String version, int major, int minor) {
    String[] parts = version.split("\\.", -1);
    try {
      int first = Integer.parseInt(parts[0]);
      int second = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
      return first < major || (first == major && second < minor);
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private static void checkOpenMp(NativeConfig config, Facts facts, List<NativeWarning> warnings) {
    boolean prepared = facts.state.isPresent();
    boolean passive =
        facts.ompWaitPolicy.map(p -> p.equalsIgnoreCase("passive")).orElse(false)
            || (!prepared
                && facts.ompWaitPolicy.isEmpty()
                && config.waitPolicy() == WaitPolicy.PASSIVE);
    if (!passive && config.threads() > 1) {
      warn(
          warnings,
          "spinning-openmp",
          "OMP_WAIT_POLICY is "
              + facts.ompWaitPolicy.orElse("not set")
              + ", so idle OpenMP threads spin and take the cores from everything else",
          "Set OMP_WAIT_POLICY=passive (or unset it: Sextant sets it)");
    }
    if (facts.state.map(NativeRuntime.State::tooLate).orElse(false)) {
      warn(
          warnings,
          "prepared-too-late",
          "libtorch was loaded before Sextant prepared for it",
          "Call NativeRuntime.prepare() before anything touches DJL");
    }
  }

  private static void checkThreads(NativeConfig config, Facts facts, List<NativeWarning> warnings) {
    Cores cores = facts.cores;
    if (config.threads() > cores.available()) {
      warn(
          warnings,
          "more-threads-than-cores",
          config.threads() + " threads share " + cores.available() + " processors",
          "Set SEXTANT_THREADS=" + cores.physical());
    } else if (config.threads() > cores.physical()) {
      note(
          warnings,
          "threads-share-cores",
          config.threads() + " threads run on " + cores.physical() + " physical cores",
          "SEXTANT_THREADS=" + cores.physical() + " is usually as fast");
    } else if (config.threads() == cores.available() && cores.available() > 1) {
      note(
          warnings,
          "all-cores-taken",
          "one operation may take all " + cores.available() + " processors",
          "Right for training; a service that answers beside it should set SEXTANT_THREADS="
              + (cores.available() - 1)
              + " or less");
    }
    if (facts.ompNumThreads > 0 && facts.ompNumThreads != config.threads()) {
      warn(
          warnings,
          "omp-num-threads",
          "OMP_NUM_THREADS is "
              + facts.ompNumThreads
              + " but "
              + config.threads()
              + " threads are configured",
          "Unset OMP_NUM_THREADS or set SEXTANT_THREADS to the same");
    }
  }

  private static void checkDevices(String flavor, Facts facts, List<NativeWarning> warnings) {
    boolean cuda = flavor.equals(Flavor.CU128.id());
    if (cuda && facts.driver.devices() == 0) {
      warn(
          warnings,
          "no-cuda-device",
          "libtorch is a CUDA build but computes on the CPU: " + facts.driver.problem(),
          "Install the driver, give the container the device (--gpus all), or take flavor cpu");
    } else if (!cuda && facts.driver.devices() > 0) {
      note(
          warnings,
          "unused-gpu",
          facts.driver.devices() + " CUDA device(s) are here but libtorch is the CPU build",
          "See docs/native.md for flavor cu128");
    }
  }

  private static String noGpu(String flavor, CudaDriver driver) {
    String build = flavor.equals(Flavor.CU128.id()) ? "" : "libtorch is the " + flavor + " build";
    return build.isEmpty() || driver.problem().isEmpty()
        ? build + driver.problem()
        : build + ", and " + driver.problem();
  }

  private static void checkJvm(NativeConfig config, Facts facts, List<NativeWarning> warnings) {
    if (facts.jdk >= LaunchFlags.FIRST_JDK_THAT_WARNS && !facts.nativeAccess) {
      warn(
          warnings,
          "native-access",
          "JDK "
              + facts.jdk
              + " warns when native libraries are loaded without permission, and will refuse one day",
          "Start java with --enable-native-access=ALL-UNNAMED");
    }
    String offline = facts.env.getOrDefault("DJL_OFFLINE", "");
    if (config.offline() && !offline.isEmpty() && !Boolean.parseBoolean(offline)) {
      warn(
          warnings,
          "djl-offline",
          "the variable DJL_OFFLINE=" + offline + " overrides the configured offline mode",
          "Unset DJL_OFFLINE");
    }
    String tracking = facts.env.getOrDefault("OPT_OUT_TRACKING", "");
    if (!config.telemetry() && !tracking.isEmpty() && !Boolean.parseBoolean(tracking)) {
      warn(
          warnings,
          "djl-telemetry",
          "the variable OPT_OUT_TRACKING=" + tracking + " turns DJL's call home on",
          "Unset it or set OPT_OUT_TRACKING=true");
    }
  }

  private static boolean nativeAccessEnabled() {
    if (Runtime.version().feature() < LaunchFlags.FIRST_JDK_THAT_WARNS) {
      return true;
    }
    // Loading JNA grants access to the unnamed module implicitly, so the flag itself is looked for.
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .anyMatch(a -> a.startsWith("--enable-native-access"));
  }

  private static void error(
      List<NativeWarning> to, String code, @Nullable String message, String mend) {
    to.add(new NativeWarning(NativeWarning.Level.ERROR, code, String.valueOf(message), mend));
  }

  private static void warn(List<NativeWarning> to, String code, String message, String mend) {
    to.add(new NativeWarning(NativeWarning.Level.WARNING, code, message, mend));
  }

  private static void note(List<NativeWarning> to, String code, String message, String mend) {
    to.add(new NativeWarning(NativeWarning.Level.NOTE, code, message, mend));
  }
}
