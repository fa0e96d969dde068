package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Libtorch, a Java runtime and an application in files of limited size, for a host without a
 * network: {@code install.sh} beside them checks them and puts them together there with bash, tar
 * and coreutils alone.
 *
 * <p>The parts are one tar archive, cut: {@code runtime/}, {@code app/*.jar}, {@code lib/*.gz}, the
 * launcher {@code sextant}, {@code NOTICE.txt}. Libraries are compressed by themselves with
 * deflate, which the Java runtime of the bundle undoes.
 *
 * <p>Thread safety: all methods may be called from any thread; one folder is written by one call.
 */
public final class OfflineBundle {

  /**
   * What to make.
   *
   * @param flavor {@link Flavor#CPU} or {@link Flavor#CU128}
   * @param architecture the GPU code that is kept in PyTorch's libraries, as {@code sm_90}, which
   *     runs on devices of that major version only; or {@code all}. Only for CU128
   * @param partBytes the most that a part may have, at least 1 KiB
   * @param placeholders whether libraries that nothing in Sextant calls are replaced by
   *     placeholders, and those that only they need are left out. Only for CU128
   * @param classPath the application: jars and folders of classes. A jar of libtorch among them is
   *     left out
   * @param mainClass the class that the launcher runs
   * @param compression of the libraries, from 1 (fast) to 9 (small)
   */
  public record Options(
      Flavor flavor,
      String architecture,
      long partBytes,
      boolean placeholders,
      List<Path> classPath,
      String mainClass,
      int compression) {

    public Options {
      if (flavor == Flavor.LOCAL) {
        throw new NativeConfigException(
            "a bundle is made of flavor cpu or cu128, whose files and terms are known, but was asked for local");
      }
      if (!architecture.matches("all|sm_[1-9]\\d{1,2}")) {
        throw new NativeConfigException(
            "the architecture must be as sm_90, or all, but was '" + architecture + "'");
      }
      if (partBytes < 1024) {
        throw new NativeConfigException(
            "a part must have at least 1 KiB but was to have " + partBytes + " bytes");
      }
      if (compression < 1 || compression > 9) {
        throw new NativeConfigException("compression must be in 1..9 but was " + compression);
      }
      classPath = List.copyOf(classPath);
    }
  }

  /**
   * A part as it was written.
   *
   * @param name of the file
   * @param bytes its size
   * @param sha256 its checksum, in hexadecimal
   */
  public record Part(String name, long bytes, String sha256) {}

  /**
   * What was written.
   *
   * @param parts in their order
   * @param libraries the names of the libraries in it, and the bytes of each when unpacked
   * @param runtime what the Java runtime is
   * @param unpackedBytes the disk that the host needs at least
   */
  public record Result(
      List<Part> parts, Map<String, Long> libraries, String runtime, long unpackedBytes) {

    public Result {
      parts = List.copyOf(parts);
    }
  }

  private OfflineBundle() {}

  /**
   * Writes a bundle.
   *
   * @param out the folder to make, which must not exist or be empty; it appears whole or not at all
   * @param progress is told what is being done, a line at a time
   * @throws NativeConfigException if it cannot be made; the message says how to mend it
   */
  public static Result write(Options options, Path out, Consumer<String> progress) {
    return write(
        options, BundleLibraries.forOptions(options), out, progress, Files::newOutputStream);
  }

  /**
   * How the file of a part is opened and a runtime made; tests make the one fail, the other fast.
   */
  interface PartFiles {
    OutputStream open(Path file) throws IOException;

    default JavaRuntime runtime(Path target) throws IOException {
      return JavaRuntime.link(target);
    }
  }

  static Result write(
      Options options,
      BundleLibraries libraries,
      Path out,
      Consumer<String> progress,
      PartFiles files) {
    Path target = out.toAbsolutePath().normalize();
    Path parent = target.getParent();
    try {
      if (parent == null || !isFree(target)) {
        throw new NativeConfigException(
            target + " exists and is no empty folder; choose another, or remove it");
      }
      Files.createDirectories(parent);
      checkSpace(options, libraries, parent);
      Path staging = Files.createTempDirectory(parent, "." + target.getFileName() + ".partial-");
      Thread cleaner = new Thread(() -> discard(staging), "bundle-cleaner");
      Runtime.getRuntime().addShutdownHook(cleaner);
      try {
        Path parts = Files.createDirectory(staging.resolve("parts"));
        Result result = fill(options, libraries, staging, parts, progress, files);
        Files.deleteIfExists(target);
        Files.move(parts, target, StandardCopyOption.ATOMIC_MOVE);
        return result;
      } finally {
        discard(staging);
        forget(cleaner);
      }
    } catch (IOException e) {
      throw new NativeConfigException(
          "the bundle cannot be written to %s: %s. Nothing was left there; mend that and try again"
              .formatted(target, e.getMessage()),
          e);
    }
  }

  private static boolean isFree(Path target) throws IOException {
    if (!Files.isDirectory(target)) {
      return !Files.exists(target);
    }
    try (Stream<Path> content = Files.list(target)) {
      return content.findAny().isEmpty();
    }
  }

  private static void forget(Thread cleaner) {
    try {
      Runtime.getRuntime().removeShutdownHook(cleaner);
    } catch (IllegalStateException e) {
      // The process ends already, and the cleaner runs.
    }
  }

  private static void discard(Path staging) {
    try {
      Folders.delete(staging);
    } catch (IOException | UncheckedIOException e) {
      // Hidden and named as partial: it can be mistaken for nothing else.
    }
  }

  private static void checkSpace(Options options, BundleLibraries libraries, Path parent)
      throws IOException {
    long need = libraries.bytes() + (512L << 20);
    for (Path entry : options.classPath) {
      need += Files.isRegularFile(entry) ? Files.size(entry) : 0;
    }
    long free = Files.getFileStore(parent).getUsableSpace();
    if (free < need) {
      throw new NativeConfigException(
          "the bundle may take %d MB while it is made but %s has %d MB left; free some or choose another folder"
              .formatted(need >> 20, parent, free >> 20));
    }
  }

  private static Result fill(
      Options options,
      BundleLibraries libraries,
      Path staging,
      Path parts,
      Consumer<String> progress,
      PartFiles files)
      throws IOException {
    progress.accept("linking a Java runtime");
    JavaRuntime runtime = files.runtime(staging.resolve("runtime"));
    Map<String, Path> jars = Application.jars(options.classPath, staging);
    String launcher = Launcher.script(options);
    String prefix = "sextant-" + options.flavor.id();
    Map<String, Long> sizes = new LinkedHashMap<>();
    long unpacked = size(runtime.folder());
    PartStream stream =
        new PartStream(prefix, options.partBytes, name -> files.open(parts.resolve(name)));
    String notice;
    try (TarWriter tar = new TarWriter(stream)) {
      tar.tree("runtime", runtime.folder());
      for (Map.Entry<String, Path> jar : jars.entrySet()) {
        tar.file("app/" + jar.getKey(), jar.getValue(), TarWriter.PLAIN);
        unpacked += Files.size(jar.getValue());
      }
      tar.text("sextant", launcher, TarWriter.EXECUTABLE);
      Map<String, String> sums = new LinkedHashMap<>();
      Map<String, List<String>> needed = new LinkedHashMap<>();
      for (BundleLibraries.Library library : libraries.libraries()) {
        progress.accept("packing " + library.name());
        Path file = libraries.materialise(library, staging);
        needed.put(library.name(), ElfFile.is(file) ? ElfFile.read(file).needed() : List.of());
        Path compressed = staging.resolve(library.name() + OfflineInstall.COMPRESSED);
        sums.put(library.name(), compress(file, compressed, options.compression));
        sizes.put(library.name(), Files.size(file));
        unpacked += Files.size(file);
        tar.file("lib/" + compressed.getFileName(), compressed, TarWriter.PLAIN);
        Files.delete(compressed);
        Files.delete(file);
      }
      BundleLibraries.checkWhole(needed);
      // So that another libtorch, should one be put there, is refused before it is loaded.
      tar.text("lib/build-version", LocalLibtorch.VERSION + "\n", TarWriter.PLAIN);
      tar.text("lib/" + Checksums.FILE, Checksums.list(sums), TarWriter.PLAIN);
      notice = BundleNotice.text(libraries, jars, runtime);
      tar.text("NOTICE.txt", notice, TarWriter.PLAIN);
    }
    Result result = new Result(stream.parts(), sizes, runtime.description(), unpacked);
    Files.writeString(parts.resolve("NOTICE.txt"), notice);
    Files.writeString(parts.resolve("install.sh"), Launcher.installer(result));
    Map<String, String> all = new LinkedHashMap<>();
    result.parts.forEach(p -> all.put(p.name, p.sha256));
    for (String name : List.of("install.sh", "NOTICE.txt")) {
      all.put(name, Checksums.of(parts.resolve(name)));
    }
    Files.writeString(parts.resolve(Checksums.FILE), Checksums.list(all));
    return result;
  }

  private static long size(Path folder) throws IOException {
    long bytes = 0;
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(folder)) {
      paths = walk.filter(Files::isRegularFile).toList();
    }
    for (Path path : paths) {
      bytes += Files.size(path);
    }
    return bytes;
  }

  /** Compresses a file and gives the SHA-256 of its plain content. */
  private static String compress(Path file, Path to, int level) throws IOException {
    MessageDigest digest = Checksums.sha256();
    try (InputStream in = Files.newInputStream(file);
        OutputStream out =
            new DigestOutputStream(
                new GZIPOutputStream(Files.newOutputStream(to), 1 << 16) {
                  {
                    def = new Deflater(level, true);
                  }
                },
                digest)) {
      in.transferTo(out);
    }
    return Checksums.hex(digest);
  }

  static String resource(String name) {
    try (InputStream in = OfflineBundle.class.getResourceAsStream("offline/" + name)) {
      if (in == null) {
        throw new IllegalStateException("the resource offline/" + name + " is missing");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("the resource offline/" + name + " cannot be read", e);
    }
  }

  /** The lines of a resource that say something. */
  static List<String> lines(String name) {
    List<String> lines = new ArrayList<>();
    for (String line : resource(name).lines().toList()) {
      if (!line.isBlank() && !line.startsWith("#")) {
        lines.add(line);
      }
    }
    return lines;
  }
}
