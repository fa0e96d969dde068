package io.sextant.nativeconfig;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.zip.ZipFile;

/**
 * The native libraries of a bundle: where each comes from and what is done with it.
 *
 * @param libraries in the order in which they are packed
 */
record BundleLibraries(List<Library> libraries) {

  /** Reads a library's bytes. */
  interface Source {
    InputStream open() throws IOException;
  }

  /**
   * A library.
   *
   * @param name of the file
   * @param bytes its size before any change
   * @param source its bytes
   * @param licence its terms
   * @param change what is done with it, in words; empty if it goes as it is
   * @param edit does it, in place
   */
  record Library(
      String name, long bytes, Source source, String licence, String change, Edit edit) {}

  /** Changes a library in place. */
  interface Edit {
    void apply(Path library) throws IOException;

    Edit NONE = library -> {};
  }

  /** What every Linux with glibc brings, or the driver. */
  private static final Set<String> HOST =
      Set.of(
          "libc.so.6",
          "libm.so.6",
          "libdl.so.2",
          "libpthread.so.0",
          "librt.so.1",
          "libutil.so.1",
          "libgcc_s.so.1",
          "libstdc++.so.6",
          "libcuda.so.1");

  BundleLibraries {
    libraries = List.copyOf(libraries);
  }

  static BundleLibraries forOptions(OfflineBundle.Options options) {
    String platform = NativePlatform.classifier();
    if (!platform.startsWith("linux-")) {
      throw new NativeConfigException(
          "an offline bundle is made on Linux, for Linux, and this is " + platform);
    }
    try {
      List<Library> libraries =
          new ArrayList<>(options.flavor() == Flavor.CU128 ? cuda(options) : cpu(platform));
      libraries.add(jni(options.flavor(), platform));
      return new BundleLibraries(libraries);
    } catch (IOException e) {
      throw new NativeConfigException(
          "the libraries for the bundle cannot be read: " + e.getMessage(), e);
    }
  }

  private static List<Library> cuda(OfflineBundle.Options options) throws IOException {
    Path folder =
        CudaLibtorch.installed()
            .orElseThrow(
                () ->
                    new NativeConfigException(
                        "there is no CUDA libtorch to bundle; put one together first: sextant native install, or mvn -P cu128 package"));
    return cuda(options, LibraryList.cu128(), folder);
  }

  static List<Library> cuda(OfflineBundle.Options options, LibraryList list, Path folder)
      throws IOException {
    List<Library> libraries = new ArrayList<>();
    Set<ElfSymbols.Symbol> wanted = options.placeholders() ? wanted(list, folder) : Set.of();
    for (LibraryList.Artifact artifact : list.artifacts()) {
      for (var file : artifact.files().entrySet()) {
        LibraryList.Role role = file.getValue();
        Path path = folder.resolve(file.getKey());
        boolean unused = role == LibraryList.Role.UNUSED;
        if (unused && options.placeholders()) {
          libraries.add(placeholder(path, wanted));
        } else if (role == LibraryList.Role.CORE
            || unused
            || (role == LibraryList.Role.EXTRA && !options.placeholders())) {
          libraries.add(cuda(options, path, artifact.licence()));
        }
      }
    }
    return libraries;
  }

  /** What the libraries that stay take from others. */
  private static Set<ElfSymbols.Symbol> wanted(LibraryList list, Path folder) throws IOException {
    Set<ElfSymbols.Symbol> wanted = new TreeSet<>();
    for (var file : list.files().entrySet()) {
      if (file.getValue() == LibraryList.Role.CORE) {
        wanted.addAll(ElfSymbols.read(folder.resolve(file.getKey())).undefined());
      }
    }
    return wanted;
  }

  private static Library placeholder(Path real, Set<ElfSymbols.Symbol> wanted) throws IOException {
    String name = real.getFileName().toString();
    SortedSet<ElfSymbols.Symbol> functions = new TreeSet<>(ElfSymbols.read(real).defined());
    functions.retainAll(wanted);
    // C names only: some libraries also offer the C++ library's symbols, which come from elsewhere.
    functions.removeIf(f -> !f.name().startsWith("cu"));
    byte[] bytes = PlaceholderLibrary.of(name, functions);
    return new Library(
        name,
        bytes.length,
        () -> new ByteArrayInputStream(bytes),
        "Apache-2.0 (Sextant)",
        "a placeholder: nothing of the real library",
        Edit.NONE);
  }

  /** Only PyTorch's own libraries may be changed. */
  private static Library cuda(OfflineBundle.Options options, Path file, String licence)
      throws IOException {
    String name = file.getFileName().toString();
    Edit edit = Edit.NONE;
    String change = "";
    if (name.startsWith("libtorch")) {
      edit = FatBinary::dropSymbols;
      change = "without symbol tables";
    }
    if (name.equals("libtorch_cuda.so") && !options.architecture().equals("all")) {
      int architecture = Integer.parseInt(options.architecture().substring(3));
      edit =
          library -> {
            FatBinary.dropSymbols(library);
            FatBinary.keepOnly(library, architecture);
          };
      change += ", GPU code for " + options.architecture() + " only";
    }
    return new Library(
        name, Files.size(file), () -> Files.newInputStream(file), licence, change, edit);
  }

  private static List<Library> cpu(String platform) throws IOException {
    String licence =
        "BSD-3-Clause (PyTorch and the libraries in it); libgomp: GPL-3.0-or-later with the GCC Runtime Library Exception";
    Path jar =
        NativeJar.onClassPath().stream()
            .filter(
                j ->
                    j.isNative()
                        && j.flavor().equals(Flavor.CPU.id())
                        && j.version().equals(LocalLibtorch.VERSION)
                        && j.classifier().equals(platform))
            .map(j -> Path.of(j.location()))
            .findFirst()
            .orElseThrow(
                () ->
                    new NativeConfigException(
                        "a bundle of flavor cpu is made from ai.djl.pytorch:pytorch-native-cpu:%s:%s, which is not on the class path"
                            .formatted(LocalLibtorch.VERSION, platform)));
    String folder = "pytorch/cpu/" + platform + "/";
    List<Library> libraries = new ArrayList<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      zip.stream()
          .filter(e -> e.getName().startsWith(folder) && !e.isDirectory())
          .forEach(
              e ->
                  libraries.add(
                      new Library(
                          e.getName().substring(folder.length()),
                          e.getSize(),
                          () -> inJar(jar, e.getName()).openStream(),
                          licence,
                          "",
                          Edit.NONE)));
    }
    return libraries;
  }

  private static URL inJar(Path jar, String entry) throws IOException {
    return URI.create("jar:" + jar.toUri() + "!/" + entry).toURL();
  }

  private static Library jni(Flavor flavor, String platform) throws IOException {
    String name = System.mapLibraryName("djl_torch");
    String resource = String.join("/", "jnilib", platform, flavor.id(), name);
    URL url = Thread.currentThread().getContextClassLoader().getResource(resource);
    if (url == null) {
      throw new NativeConfigException(
          "ai.djl.pytorch:pytorch-jni on the class path holds no " + resource);
    }
    return new Library(
        name,
        url.openConnection().getContentLengthLong(),
        url::openStream,
        "Apache-2.0 (Deep Java Library)",
        "",
        Edit.NONE);
  }

  long bytes() {
    return libraries.stream().mapToLong(Library::bytes).sum();
  }

  /** Writes a library as it goes into the bundle. */
  Path materialise(Library library, Path scratch) throws IOException {
    Path file = scratch.resolve(library.name);
    try (InputStream in = library.source.open()) {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
    library.edit.apply(file);
    return file;
  }

  /**
   * Refuses a set of libraries of which one needs another that neither the bundle nor every host
   * has.
   *
   * @param needed what each library needs, by its name
   */
  static void checkWhole(Map<String, List<String>> needed) {
    List<String> missing = new ArrayList<>();
    needed.forEach(
        (name, needs) ->
            needs.stream()
                .filter(n -> !needed.containsKey(n) && !HOST.contains(n))
                .filter(n -> !n.startsWith("ld-linux"))
                .forEach(n -> missing.add(name + " needs " + n)));
    if (!missing.isEmpty()) {
      throw new NativeConfigException(
          "the libraries are not whole: %s. Put the CUDA libtorch together anew"
              .formatted(String.join(", ", missing)));
    }
  }
}
