package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** The jars of an application, from its class path. */
final class Application {

  private Application() {}

  /**
   * The jars by the names that they get in a bundle. Folders of classes, as a build in an IDE or a
   * test has them, become jars; a jar of libtorch is left out, since the libraries go by
   * themselves.
   */
  static Map<String, Path> jars(List<Path> classPath, Path scratch) throws IOException {
    Map<String, Path> jars = new LinkedHashMap<>();
    for (Path entry : classPath) {
      if (Files.isDirectory(entry)) {
        String name = "classes-" + jars.size() + ".jar";
        jars.put(name, pack(entry, scratch.resolve(name)));
      } else if (Files.isRegularFile(entry)) {
        String name = entry.getFileName().toString();
        if (!name.startsWith("pytorch-native-")) {
          jars.put(jars.containsKey(name) ? jars.size() + "-" + name : name, entry);
        }
      }
    }
    if (jars.isEmpty()) {
      throw new NativeConfigException("the class path " + classPath + " holds no jar");
    }
    return jars;
  }

  private static Path pack(Path folder, Path jar) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(folder)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Path file : files) {
        zip.putNextEntry(new ZipEntry(folder.relativize(file).toString().replace('\\', '/')));
        Files.copy(file, zip);
        zip.closeEntry();
      }
    }
    return jar;
  }

  /** The terms of a jar: what its manifest says, else what our list says. */
  static String licence(String name, Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      Manifest manifest = file.getManifest();
      if (manifest != null) {
        String stated =
            manifest.getMainAttributes().getValue(new Attributes.Name("Bundle-License"));
        if (stated != null && !stated.isBlank()) {
          return stated.strip();
        }
      }
    }
    if (name.startsWith("classes-")) {
      return "Apache-2.0";
    }
    return OfflineBundle.lines("licences.txt").stream()
        .map(line -> line.split(" ", 2))
        .filter(words -> name.startsWith(words[0]))
        .map(words -> words[1])
        .findFirst()
        .orElse("not stated in the jar; see its project");
  }
}
