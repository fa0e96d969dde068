package io.sextant.nativeconfig;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/** What is refused before anything native is loaded. */
final class NativeChecks {

  private NativeChecks() {}

  /**
   * Finds the libtorch that a configuration names and refuses what DJL would get wrong.
   *
   * @return the folder that DJL is to be pointed to; empty if libtorch comes from a jar
   * @throws NativeConfigException if it cannot be had
   */
  static Optional<LocalLibtorch> library(
      NativeConfig config, Map<String, String> env, Properties properties) {
    return library(
        config,
        env,
        DjlCache.folder(env, properties),
        NativeJar.onClassPath(),
        NativePlatform.classifier());
  }

  static Optional<LocalLibtorch> library(
      NativeConfig config,
      Map<String, String> env,
      Path cache,
      List<NativeJar> jars,
      String platform) {
    Optional<LocalLibtorch> library =
        config
            .libraryPath()
            .map(p -> LocalLibtorch.inspect(p, "the local libtorch"))
            .or(() -> inCache(config, cache, jars, platform));
    if (library.isPresent()) {
      checkLocal(config, library.get());
    } else {
      checkJars(config, cache, jars, platform);
    }
    checkVariables(library, env);
    checkJni(config, cache, library, jars, platform);
    return library;
  }

  /** A CUDA libtorch that was put together or downloaded before, unless a jar brings one. */
  private static Optional<LocalLibtorch> inCache(
      NativeConfig config, Path cache, List<NativeJar> jars, String platform) {
    String flavor = Flavor.CU128.id();
    boolean jar =
        jars.stream()
            .anyMatch(
                j -> j.isNative() && j.flavor().equals(flavor) && j.classifier().equals(platform));
    return config.flavor() == Flavor.CU128 && !jar
        ? DjlCache.find(cache, flavor, platform)
            .map(folder -> LocalLibtorch.inspect(folder, "the folder in DJL's cache"))
        : Optional.empty();
  }

  private static void checkLocal(NativeConfig config, LocalLibtorch library) {
    if (config.flavor() == Flavor.CU128 && !library.cuda()) {
      throw new NativeConfigException(
          "flavor cu128 was asked for but %s holds a CPU build (no %s); give the folder of a CUDA build, or flavor local"
              .formatted(library.folder(), System.mapLibraryName("torch_cuda")));
    }
  }

  private static void checkJars(
      NativeConfig config, Path cache, List<NativeJar> jars, String platform) {
    String flavor = config.flavor().id();
    for (NativeJar jar : jars) {
      if (jar.isNative() && !jar.version().equals(LocalLibtorch.VERSION)) {
        throw new NativeConfigException(
            "%s is libtorch %s but DJL's JNI layer works with %s alone; take pytorch-native-%s:%s"
                .formatted(
                    jar.location(),
                    jar.version(),
                    LocalLibtorch.VERSION,
                    jar.flavor(),
                    LocalLibtorch.VERSION));
      }
    }
    List<NativeJar> fitting =
        jars.stream().filter(j -> j.isNative() && j.classifier().equals(platform)).toList();
    if (fitting.stream().anyMatch(j -> j.flavor().equals(flavor))) {
      return;
    }
    if (!fitting.isEmpty()) {
      throw new NativeConfigException(
          "flavor %s was asked for but the class path has %s (%s), which DJL would load instead; remove that jar or choose another flavor"
              .formatted(flavor, fitting.get(0).flavor(), fitting.get(0).location()));
    }
    if (!config.offline() || DjlCache.find(cache, flavor, platform).isPresent()) {
      return;
    }
    String others =
        jars.stream()
            .filter(NativeJar::isNative)
            .map(j -> j.flavor() + " for " + j.classifier())
            .toList()
            .toString();
    throw new NativeConfigException(
        "no libtorch of flavor %s for %s: the class path has %s, DJL's cache %s has none, and downloads are off. %s, or set SEXTANT_LIBTORCH to the folder of a libtorch %s"
            .formatted(
                flavor,
                platform,
                others.equals("[]") ? "no pytorch-native jar" : others,
                cache,
                config.flavor() == Flavor.CPU
                    ? "Add ai.djl.pytorch:pytorch-native-cpu:%s with the classifier %s"
                        .formatted(LocalLibtorch.VERSION, platform)
                    : "Put it together from Maven artifacts (mvn -P cu128 package, or sextant native install)",
                LocalLibtorch.VERSION));
  }

  /** In DJL a variable goes before a property, so a contradicting variable would win silently. */
  private static void checkVariables(Optional<LocalLibtorch> library, Map<String, String> env) {
    String version = env.getOrDefault("PYTORCH_VERSION", "");
    if (!version.isEmpty() && !version.equals(LocalLibtorch.VERSION)) {
      throw new NativeConfigException(
          "the variable PYTORCH_VERSION is '%s' but only libtorch %s can be loaded; unset it"
              .formatted(version, LocalLibtorch.VERSION));
    }
    String path = env.getOrDefault("PYTORCH_LIBRARY_PATH", "");
    if (!path.isEmpty()) {
      Path theirs = LocalLibtorch.inspect(Path.of(path), "PYTORCH_LIBRARY_PATH").folder();
      if (library.isEmpty() || !library.get().folder().equals(theirs)) {
        throw new NativeConfigException(
            "the variable PYTORCH_LIBRARY_PATH names %s but the configuration %s; DJL would obey the variable. Unset it and use SEXTANT_LIBTORCH"
                .formatted(
                    path,
                    library
                        .map(l -> "names " + l.folder())
                        .orElse("takes libtorch from the class path")));
      }
    }
    String flavor = env.getOrDefault("PYTORCH_FLAVOR", "");
    String wanted = library.map(l -> l.cuda() ? Flavor.CU128.id() : Flavor.CPU.id()).orElse(flavor);
    if (!flavor.isEmpty() && !flavor.equals(wanted)) {
      throw new NativeConfigException(
          "the variable PYTORCH_FLAVOR is '%s' but the libtorch is %s; DJL would obey the variable. Unset it"
              .formatted(flavor, wanted));
    }
  }

  private static void checkJni(
      NativeConfig config,
      Path cache,
      Optional<LocalLibtorch> library,
      List<NativeJar> jars,
      String platform) {
    List<NativeJar> jni = jars.stream().filter(j -> !j.isNative()).toList();
    for (NativeJar jar : jni) {
      if (!jar.version().startsWith(LocalLibtorch.VERSION + "-")) {
        throw new NativeConfigException(
            "%s is pytorch-jni %s but libtorch is %s; take the pytorch-jni whose version begins with %s"
                .formatted(
                    jar.location(), jar.version(), LocalLibtorch.VERSION, LocalLibtorch.VERSION));
      }
    }
    if (!jni.isEmpty() || !config.offline()) {
      return;
    }
    String name = System.mapLibraryName("djl_torch");
    Path folder =
        library
            .map(LocalLibtorch::folder)
            .or(() -> DjlCache.find(cache, config.flavor().id(), platform))
            .orElse(cache);
    if (!Files.exists(folder.resolve(name))
        && !Files.exists(folder.resolve(LocalLibtorch.DJL_VERSION + "-" + name))) {
      throw new NativeConfigException(
          "pytorch-jni is missing on the class path and downloads are off; add ai.djl.pytorch:pytorch-jni:%s-%s"
              .formatted(LocalLibtorch.VERSION, LocalLibtorch.DJL_VERSION));
    }
  }
}
