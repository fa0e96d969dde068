package io.sextant.nativeconfig;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A folder with a libtorch, looked at without loading anything: the unpacked distribution, its
 * {@code lib} folder, PyTorch's Python package, a folder of DJL's cache, or bare libraries.
 *
 * @param folder the absolute folder that holds the libraries
 * @param version its version, {@code 2.7.1}; empty if no file tells
 * @param versionSource the file that told the version
 * @param cuda whether it is a CUDA build
 */
record LocalLibtorch(Path folder, Optional<String> version, String versionSource, boolean cuda) {

  /** The only libtorch that DJL's JNI layer is bound to. */
  static final String VERSION = "2.7.1";

  /** The DJL that this build is made for. */
  static final String DJL_VERSION = "0.36.0";

  private static final Pattern NUMBER = Pattern.compile("(\\d+\\.\\d+\\.\\d+)");

  /**
   * Looks at a folder.
   *
   * @throws NativeConfigException if it holds no libtorch, or one of another version
   */
  static LocalLibtorch inspect(Path path, String where) {
    String library = System.mapLibraryName("torch");
    Path given = path.toAbsolutePath().normalize();
    if (!Files.exists(given)) {
      throw new NativeConfigException(where + ": the folder " + given + " does not exist");
    }
    Path folder = given;
    if (Files.isRegularFile(given) && given.getFileName().toString().equals(library)) {
      folder = given.getParent();
    } else if (!Files.isRegularFile(given.resolve(library))) {
      folder = given.resolve("lib");
    }
    if (folder == null || !Files.isRegularFile(folder.resolve(library))) {
      throw new NativeConfigException(
          "%s: the folder %s holds no %s, nor does its lib folder; give the folder that an unpacked libtorch %s has its libraries in"
              .formatted(where, given, library, VERSION));
    }
    boolean cuda = Files.exists(folder.resolve(System.mapLibraryName("torch_cuda")));
    Hint hint = version(folder);
    if (hint != null && !hint.version.equals(VERSION)) {
      throw new NativeConfigException(
          "%s: %s holds libtorch %s (so says %s) but DJL's JNI layer works with %s alone; another version fails at the first read of data. Give a folder with libtorch %s"
              .formatted(where, folder, hint.version, hint.file, VERSION, VERSION));
    }
    return hint == null
        ? new LocalLibtorch(folder, Optional.empty(), "", cuda)
        : new LocalLibtorch(folder, Optional.of(hint.version), hint.file.toString(), cuda);
  }

  private record Hint(String version, Path file) {}

  private static @Nullable Hint version(Path folder) {
    Path parent = folder.getParent() == null ? folder : folder.getParent();
    Path[] files = {
      folder.resolve("build-version"),
      parent.resolve("build-version"),
      parent.resolve("version.py"),
      parent.resolve("share/cmake/Torch/TorchConfigVersion.cmake"),
    };
    for (Path file : files) {
      if (Files.isRegularFile(file)) {
        Matcher m = NUMBER.matcher(head(file));
        if (m.find()) {
          return new Hint(m.group(1), file);
        }
      }
    }
    // DJL's cache names its folders 2.7.1-20250812-cpu-linux-x86_64.
    Matcher m =
        Pattern.compile("^(\\d+\\.\\d+\\.\\d+)(-\\d{8})?-(cpu|cu\\d{3}).*")
            .matcher(String.valueOf(folder.getFileName()));
    return m.matches() ? new Hint(m.group(1), folder) : null;
  }

  private static String head(Path file) {
    try (var in = Files.newInputStream(file)) {
      return new String(in.readNBytes(4096), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new NativeConfigException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
