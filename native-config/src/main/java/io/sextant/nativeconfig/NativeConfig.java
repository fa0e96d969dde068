package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Which libtorch is loaded and how: the one place where flavour, threads, OpenMP, allocator and the
 * network are decided. Nothing happens until {@link NativeRuntime#prepare(NativeConfig)}.
 *
 * <p>Thread safety: immutable.
 *
 * @param flavor which build of libtorch
 * @param libraryPath a folder with libtorch 2.7.1; always there for {@link Flavor#LOCAL}, never for
 *     {@link Flavor#CPU}, whose libtorch comes from the class path
 * @param threads threads of one operation on the CPU; the default is one per physical core that the
 *     process may use
 * @param interopThreads threads that run operations beside each other; 1, since Sextant never asks
 *     libtorch for that
 * @param waitPolicy what idle OpenMP threads do
 * @param allocator hints to glibc
 * @param offline whether DJL may not download anything, true by default
 * @param telemetry whether DJL may call home, false by default
 */
public record NativeConfig(
    Flavor flavor,
    Optional<Path> libraryPath,
    int threads,
    int interopThreads,
    WaitPolicy waitPolicy,
    AllocatorSettings allocator,
    boolean offline,
    boolean telemetry) {

  private static final int MAX_THREADS = 4096;

  public NativeConfig {
    checkThreads("threads", threads);
    checkThreads("interopThreads", interopThreads);
    if (flavor == Flavor.LOCAL && libraryPath.isEmpty()) {
      throw new NativeConfigException(
          "flavor local needs the folder of a libtorch; set SEXTANT_LIBTORCH or libraryPath");
    }
    if (flavor == Flavor.CPU && libraryPath.isPresent()) {
      throw new NativeConfigException(
          "flavor cpu takes libtorch from the class path, so the folder %s would be ignored; use flavor local, or unset SEXTANT_LIBTORCH"
              .formatted(libraryPath.get()));
    }
    libraryPath = libraryPath.map(p -> p.toAbsolutePath().normalize());
  }

  private static void checkThreads(String name, int value) {
    if (value < 1 || value > MAX_THREADS) {
      throw new NativeConfigException(name + " must be in 1.." + MAX_THREADS + " but was " + value);
    }
  }

  /** A builder with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that starts from these values. */
  public Builder toBuilder() {
    Builder b = new Builder();
    b.flavor = flavor;
    b.libraryPath = libraryPath.orElse(null);
    b.threads = OptionalInt.of(threads);
    b.interopThreads = interopThreads;
    b.waitPolicy = waitPolicy;
    b.allocator = allocator;
    b.offline = offline;
    b.telemetry = telemetry;
    return b;
  }

  /** What the environment and the system properties of this JVM ask for. */
  public static NativeConfig fromEnvironment() {
    return fromEnvironment(System.getenv(), System.getProperties());
  }

  /**
   * What an environment asks for. A system property, which is meant for one process, goes before
   * the variable of the same meaning.
   *
   * <table>
   * <caption>Variables</caption>
   * <tr><th>variable</th><th>property</th><th>meaning</th></tr>
   * <tr><td>SEXTANT_FLAVOR</td><td>sextant.flavor</td><td>cpu, cu128 or local; default: local where
   * a folder is given, else what the jar on the class path is, else what the build was made for,
   * else cpu</td></tr>
   * <tr><td>SEXTANT_LIBTORCH</td><td>sextant.libtorch</td><td>folder with libtorch 2.7.1; DJL's own
   * PYTORCH_LIBRARY_PATH counts too</td></tr>
   * <tr><td>SEXTANT_THREADS</td><td>sextant.threads</td><td>threads of one operation; default:
   * OMP_NUM_THREADS, else one per physical core</td></tr>
   * <tr><td>SEXTANT_INTEROP_THREADS</td><td>sextant.interop.threads</td><td>default 1</td></tr>
   * <tr><td>SEXTANT_OMP_WAIT</td><td>sextant.omp.wait</td><td>passive or active; default:
   * OMP_WAIT_POLICY, else passive</td></tr>
   * <tr><td>SEXTANT_MALLOC</td><td>sextant.malloc</td><td>on (the default) or off: hints to
   * glibc</td></tr>
   * <tr><td>SEXTANT_OFFLINE</td><td>sextant.offline</td><td>true (the default) or false: may DJL
   * download? DJL's own DJL_OFFLINE counts too</td></tr>
   * <tr><td>SEXTANT_TELEMETRY</td><td>sextant.telemetry</td><td>true or false (the
   * default)</td></tr>
   * </table>
   *
   * @throws NativeConfigException if a value cannot be read; the message names the variable
   */
  public static NativeConfig fromEnvironment(Map<String, String> env, Properties properties) {
    Lookup lookup = new Lookup(env, properties);
    Builder b = builder();
    Value libtorch = lookup.find("SEXTANT_LIBTORCH", "sextant.libtorch");
    if (libtorch == null) {
      libtorch = lookup.find("PYTORCH_LIBRARY_PATH", "PYTORCH_LIBRARY_PATH");
    }
    if (libtorch != null) {
      b.libraryPath(libtorch.path());
    }
    Value flavor = lookup.find("SEXTANT_FLAVOR", "sextant.flavor");
    if (flavor != null) {
      b.flavor(Flavor.parse(flavor.text, flavor.where));
    }
    Value threads = lookup.find("SEXTANT_THREADS", "sextant.threads");
    if (threads != null) {
      b.threads(threads.integer(1, MAX_THREADS));
    } else {
      b.ompNumThreads = ompNumThreads(env);
    }
    Value interop = lookup.find("SEXTANT_INTEROP_THREADS", "sextant.interop.threads");
    if (interop != null) {
      b.interopThreads(interop.integer(1, MAX_THREADS));
    }
    Value wait = lookup.find("SEXTANT_OMP_WAIT", "sextant.omp.wait");
    if (wait == null) {
      wait = lookup.find("OMP_WAIT_POLICY", "OMP_WAIT_POLICY");
    }
    if (wait != null) {
      b.waitPolicy(WaitPolicy.valueOf(wait.oneOf("passive", "active").toUpperCase(Locale.ROOT)));
    }
    Value malloc = lookup.find("SEXTANT_MALLOC", "sextant.malloc");
    if (malloc != null && malloc.oneOf("on", "off").equals("off")) {
      b.allocator(AllocatorSettings.UNCHANGED);
    }
    Value offline = lookup.find("SEXTANT_OFFLINE", "sextant.offline");
    if (offline == null) {
      offline = lookup.find("DJL_OFFLINE", "ai.djl.offline");
    }
    if (offline != null) {
      b.offline(offline.oneOf("true", "false").equals("true"));
    }
    Value telemetry = lookup.find("SEXTANT_TELEMETRY", "sextant.telemetry");
    if (telemetry != null) {
      b.telemetry(telemetry.oneOf("true", "false").equals("true"));
    }
    return b.build();
  }

  /** OMP_NUM_THREADS is a list, one entry per level of nesting; libtorch uses the first. */
  static OptionalInt ompNumThreads(Map<String, String> env) {
    String text = env.getOrDefault("OMP_NUM_THREADS", "").split(",", 2)[0].strip();
    try {
      int n = Integer.parseInt(text);
      return n >= 1 && n <= MAX_THREADS ? OptionalInt.of(n) : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }

  /** The flavour whose libtorch Maven put together for this build, if it did (profile cu128). */
  static Optional<Flavor> builtFor() {
    Properties build = new Properties();
    try (InputStream in = NativeConfig.class.getResourceAsStream("build.properties")) {
      if (in != null) {
        build.load(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String flavor = build.getProperty("flavor", "");
    // Unfiltered where an IDE copied the resource itself.
    return flavor.isBlank() || flavor.startsWith("$")
        ? Optional.empty()
        : Optional.of(Flavor.parse(flavor, "the build's flavour"));
  }

  private record Value(String text, String where) {

    int integer(int min, int max) {
      try {
        int value = Integer.parseInt(text);
        if (value >= min && value <= max) {
          return value;
        }
      } catch (NumberFormatException e) {
        // Said below, with the range.
      }
      throw new NativeConfigException(
          "%s must be a whole number in %d..%d but was '%s'".formatted(where, min, max, text));
    }

    String oneOf(String... allowed) {
      for (String a : allowed) {
        if (a.equalsIgnoreCase(text)) {
          return a;
        }
      }
      throw new NativeConfigException(
          "%s must be %s but was '%s'".formatted(where, String.join(" or ", allowed), text));
    }

    Path path() {
      try {
        return Path.of(text);
      } catch (InvalidPathException e) {
        throw new NativeConfigException(where + " is no path: " + e.getMessage(), e);
      }
    }
  }

  private record Lookup(Map<String, String> env, Properties properties) {

    /** The value that counts, or null if it is given nowhere; blank counts as not given. */
    @Nullable Value find(String variable, String property) {
      String text = properties.getProperty(property);
      if (text != null && !text.isBlank()) {
        return new Value(text.strip(), "the system property " + property);
      }
      text = env.get(variable);
      return text == null || text.isBlank() ? null : new Value(text.strip(), variable);
    }
  }

  /** Builds a {@link NativeConfig}. Not thread-safe. */
  public static final class Builder {

    private @Nullable Flavor flavor;
    private @Nullable Path libraryPath;
    private OptionalInt threads = OptionalInt.empty();
    private OptionalInt ompNumThreads = OptionalInt.empty();
    private int interopThreads = 1;
    private WaitPolicy waitPolicy = WaitPolicy.PASSIVE;
    private AllocatorSettings allocator = AllocatorSettings.DEFAULT;
    private boolean offline = true;
    private boolean telemetry;

    private Builder() {}

    /** Which build; by default what {@link #fromEnvironment} says. */
    public Builder flavor(Flavor value) {
      flavor = value;
      return this;
    }

    /** The folder of a local libtorch. */
    public Builder libraryPath(Path value) {
      libraryPath = value;
      return this;
    }

    /** Threads of one operation, at least 1. */
    public Builder threads(int value) {
      threads = OptionalInt.of(value);
      return this;
    }

    /** Threads that run operations beside each other, at least 1. */
    public Builder interopThreads(int value) {
      interopThreads = value;
      return this;
    }

    /** What idle OpenMP threads do. */
    public Builder waitPolicy(WaitPolicy value) {
      waitPolicy = value;
      return this;
    }

    /** Hints to glibc. */
    public Builder allocator(AllocatorSettings value) {
      allocator = value;
      return this;
    }

    /** Whether DJL may not download anything. */
    public Builder offline(boolean value) {
      offline = value;
      return this;
    }

    /** Whether DJL may call home. */
    public Builder telemetry(boolean value) {
      telemetry = value;
      return this;
    }

    /** Builds it; {@link NativeConfigException} if a value is out of its range. */
    public NativeConfig build() {
      Flavor chosen = flavor;
      if (chosen == null) {
        chosen = libraryPath != null ? Flavor.LOCAL : flavorOfClassPath();
      }
      int n =
          threads.isPresent() ? threads.getAsInt() : Cores.detect().defaultThreads(ompNumThreads);
      return new NativeConfig(
          chosen,
          Optional.ofNullable(libraryPath),
          n,
          interopThreads,
          waitPolicy,
          allocator,
          offline,
          telemetry);
    }

    private static Flavor flavorOfClassPath() {
      List<NativeJar> natives =
          NativeJar.onClassPath().stream().filter(NativeJar::isNative).toList();
      if (natives.isEmpty()) {
        return builtFor().orElse(Flavor.CPU);
      }
      boolean cuda = natives.stream().anyMatch(j -> j.flavor().equals(Flavor.CU128.id()));
      return cuda ? Flavor.CU128 : Flavor.CPU;
    }
  }
}
