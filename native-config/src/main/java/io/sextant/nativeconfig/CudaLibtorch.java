package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The CUDA build of libtorch, put together from jars of the ordinary Maven repository in the folder
 * where DJL would look for a downloaded one. Nothing is fetched here: Maven resolves the jars
 * (profile {@code cu128}), through whatever mirror or proxy it is set up with, and this class
 * checks their SHA-256 against the list that the build was made with, and unpacks them.
 *
 * <p>Thread safety: all methods may be called from any thread and process; the folder appears whole
 * or not at all, and the first to finish wins.
 */
public final class CudaLibtorch {

  /** The only platform for which the artifacts exist. */
  static final String PLATFORM = "linux-x86_64";

  private static final String ARTIFACTS = "artifacts.txt";

  private CudaLibtorch() {}

  /** The folder of a CUDA libtorch that {@link #install} put together, if there is a whole one. */
  public static Optional<Path> installed() {
    Path folder = folder(DjlCache.folder(System.getenv(), System.getProperties()));
    return isWhole(folder, LibraryList.cu128()) ? Optional.of(folder) : Optional.empty();
  }

  /**
   * Puts it together, unless it is there already.
   *
   * @param sources jars, folders of jars, and local Maven repositories, in which the artifacts are
   *     looked for in this order
   * @param progress is told what is being done, a line at a time
   * @return the folder, 3.4 GB
   * @throws NativeConfigException if an artifact is missing or is not the one that was pinned, or
   *     the disk is too small; nothing is left behind then
   */
  public static Path install(List<Path> sources, Consumer<String> progress) {
    String platform = NativePlatform.classifier();
    if (!platform.equals(PLATFORM)) {
      throw new NativeConfigException(
          "a CUDA libtorch can be put together for %s alone, and this is %s"
              .formatted(PLATFORM, platform));
    }
    return install(
        LibraryList.cu128(),
        sources,
        DjlCache.folder(System.getenv(), System.getProperties()),
        progress);
  }

  static Path install(LibraryList list, List<Path> sources, Path cache, Consumer<String> progress) {
    Path folder = folder(cache);
    if (isWhole(folder, list)) {
      progress.accept("already there: " + folder);
      return folder;
    }
    boolean ours = Files.exists(folder.resolve(ARTIFACTS));
    if (Files.exists(folder) && !ours) {
      throw new NativeConfigException(
          folder
              + " exists and was not put together by Sextant; flavor cu128 uses it as it is. Remove it to have it replaced");
    }
    Map<LibraryList.Artifact, Path> jars = find(list, sources);
    try {
      Files.createDirectories(cache);
      checkSpace(cache, jars);
      Path staging = Files.createTempDirectory(cache, ".cu128-partial-");
      Folders.openToAll(staging);
      try {
        fill(staging, jars, progress);
        if (ours) {
          Folders.delete(folder);
        }
        Files.move(staging, folder, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        if (!isWhole(folder, list)) {
          throw e;
        }
      } finally {
        Folders.delete(staging);
      }
    } catch (IOException e) {
      throw new NativeConfigException(
          "the CUDA libtorch cannot be put together in %s: %s. Nothing was left there; mend that and try again"
              .formatted(cache, e),
          e);
    }
    progress.accept("put together: " + folder);
    return folder;
  }

  private static Path folder(Path cache) {
    return cache.resolve(String.join("-", LocalLibtorch.VERSION, Flavor.CU128.id(), PLATFORM));
  }

  /**
   * Since a folder appears whole, one that names the same artifacts is whole if no file was lost.
   */
  static boolean isWhole(Path folder, LibraryList list) {
    try {
      Path artifacts = folder.resolve(ARTIFACTS);
      return Files.isRegularFile(artifacts)
          && Files.readString(artifacts).equals(describe(list.artifacts()))
          && list.files().keySet().stream()
              .allMatch(name -> Files.isRegularFile(folder.resolve(name)));
    } catch (IOException e) {
      return false;
    }
  }

  private static String describe(Iterable<LibraryList.Artifact> artifacts) {
    StringBuilder text = new StringBuilder();
    for (LibraryList.Artifact a : artifacts) {
      text.append(a.sha256()).append("  ").append(a).append('\n');
    }
    return text.toString();
  }

  private static Map<LibraryList.Artifact, Path> find(LibraryList list, List<Path> sources) {
    Map<LibraryList.Artifact, Path> found = new LinkedHashMap<>();
    List<String> missing = new ArrayList<>();
    for (LibraryList.Artifact artifact : list.artifacts()) {
      sources.stream()
          .flatMap(
              source ->
                  List.of(
                      source,
                      source.resolve(artifact.jarName()),
                      source.resolve(artifact.repositoryPath()))
                      .stream())
          .filter(p -> p.endsWith(artifact.jarName()) && Files.isRegularFile(p))
          .findFirst()
          .ifPresentOrElse(p -> found.put(artifact, p), () -> missing.add(artifact.toString()));
    }
    if (!missing.isEmpty()) {
      throw new NativeConfigException(
          "the CUDA libtorch needs artifacts that are not in %s: %s. Let Maven fetch them: mvn -P cu128 package, or mvn dependency:get -Dtransitive=false -Dartifact=GROUP:ARTIFACT:VERSION:jar:CLASSIFIER for each"
              .formatted(sources, String.join(", ", missing)));
    }
    return found;
  }

  private static void checkSpace(Path cache, Map<LibraryList.Artifact, Path> jars)
      throws IOException {
    long bytes = 0;
    for (Map.Entry<LibraryList.Artifact, Path> jar : jars.entrySet()) {
      try (ZipFile zip = open(jar.getValue())) {
        for (ZipEntry entry : entries(zip, jar.getKey(), jar.getValue()).values()) {
          bytes += entry.getSize();
        }
      }
    }
    FileStore store = Files.getFileStore(cache);
    if (store.getUsableSpace() < bytes) {
      throw new NativeConfigException(
          "the CUDA libtorch takes %d MB but %s has %d MB left; free some, or set DJL_CACHE_DIR to a folder on a larger disk"
              .formatted(bytes >> 20, cache, store.getUsableSpace() >> 20));
    }
  }

  private static void fill(
      Path staging, Map<LibraryList.Artifact, Path> jars, Consumer<String> progress)
      throws IOException {
    Map<String, String> sums = new LinkedHashMap<>();
    for (Map.Entry<LibraryList.Artifact, Path> found : jars.entrySet()) {
      LibraryList.Artifact artifact = found.getKey();
      Path jar = found.getValue();
      progress.accept("checking " + jar.getFileName());
      String sum = Checksums.of(jar);
      if (!sum.equals(artifact.sha256())) {
        throw new NativeConfigException(
            "%s is not the artifact %s that this build was made for: its SHA-256 is %s but must be %s. Delete it and let Maven fetch it again; if it stays so, the repository serves another file"
                .formatted(jar, artifact, sum, artifact.sha256()));
      }
      progress.accept("unpacking " + jar.getFileName());
      try (ZipFile zip = open(jar)) {
        for (Map.Entry<String, ZipEntry> entry : entries(zip, artifact, jar).entrySet()) {
          MessageDigest digest = Checksums.sha256();
          try (InputStream in = zip.getInputStream(entry.getValue());
              OutputStream out =
                  new DigestOutputStream(
                      Files.newOutputStream(staging.resolve(entry.getKey())), digest)) {
            in.transferTo(out);
          }
          sums.put(entry.getKey(), Checksums.hex(digest));
        }
      }
    }
    Files.writeString(staging.resolve(Checksums.FILE), Checksums.list(sums));
    Files.writeString(staging.resolve(ARTIFACTS), describe(jars.keySet()));
  }

  private static ZipFile open(Path jar) throws IOException {
    try {
      return new ZipFile(jar.toFile());
    } catch (IOException e) {
      throw new NativeConfigException(
          jar + " cannot be read as a jar (" + e.getMessage() + "); delete it and fetch it again",
          e);
    }
  }

  private static Map<String, ZipEntry> entries(
      ZipFile zip, LibraryList.Artifact artifact, Path jar) {
    Map<String, ZipEntry> byName =
        zip.stream()
            .filter(e -> !e.isDirectory())
            .collect(
                Collectors.toMap(
                    e -> e.getName().substring(e.getName().lastIndexOf('/') + 1),
                    e -> e,
                    (a, b) -> a));
    Map<String, ZipEntry> taken = new LinkedHashMap<>();
    for (String name : artifact.files().keySet()) {
      ZipEntry entry = byName.get(name);
      if (entry == null) {
        throw new NativeConfigException(jar + " does not hold " + name);
      }
      taken.put(name, entry);
    }
    return taken;
  }

  /**
   * Puts it together from within a build.
   *
   * @param sources jars, folders of jars, local Maven repositories
   */
  public static void main(String[] sources) {
    install(
        Arrays.stream(sources).map(Path::of).toList(),
        line -> System.err.println("cu128: " + line));
  }
}
