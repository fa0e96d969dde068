package io.sextant.nativeconfig;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/** The folder into which DJL unpacks native libraries from jars. */
final class DjlCache {

  private DjlCache() {}

  /** DJL's rule: ENGINE_CACHE_DIR, else DJL_CACHE_DIR, else .djl.ai at home; then the engine. */
  static Path folder(Map<String, String> env, Properties properties) {
    for (String name : new String[] {"ENGINE_CACHE_DIR", "DJL_CACHE_DIR"}) {
      String value = env.get(name);
      if (value == null || value.isEmpty()) {
        value = properties.getProperty(name);
      }
      if (value != null && !value.isEmpty()) {
        return Path.of(value).resolve("pytorch");
      }
    }
    return Path.of(properties.getProperty("user.home", "."), ".djl.ai", "pytorch");
  }

  /** A libtorch of some flavour that is unpacked there already. */
  static Optional<Path> find(Path cache, String flavor, String classifier) {
    String glob = LocalLibtorch.VERSION + "*-" + flavor + "-" + classifier;
    if (Files.isDirectory(cache)) {
      try (DirectoryStream<Path> folders = Files.newDirectoryStream(cache, glob)) {
        for (Path folder : folders) {
          if (Files.exists(folder.resolve(System.mapLibraryName("torch")))) {
            return Optional.of(folder);
          }
        }
      } catch (IOException e) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }
}
