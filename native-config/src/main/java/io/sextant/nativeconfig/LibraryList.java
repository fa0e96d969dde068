package io.sextant.nativeconfig;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * From which Maven artifacts a libtorch is put together: the resource {@code cu128.libraries},
 * read.
 *
 * @param artifacts in the order of the list
 */
record LibraryList(List<Artifact> artifacts) {

  /** What an offline bundle does with a file. */
  enum Role {
    CORE,
    UNUSED,
    EXTRA,
    INSTALLED
  }

  /**
   * A jar of native files.
   *
   * @param sha256 of the jar
   * @param licence the terms of the files that are taken
   * @param files what is taken from it: file names without a folder
   */
  record Artifact(
      String groupId,
      String artifactId,
      String version,
      String classifier,
      String sha256,
      String licence,
      Map<String, Role> files) {

    Artifact {
      files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
    }

    String jarName() {
      return artifactId + "-" + version + "-" + classifier + ".jar";
    }

    /** Where a local Maven repository keeps it. */
    String repositoryPath() {
      return String.join("/", groupId.replace('.', '/'), artifactId, version, jarName());
    }

    @Override
    public String toString() {
      return String.join(":", groupId, artifactId, version, classifier);
    }
  }

  LibraryList {
    artifacts = List.copyOf(artifacts);
  }

  /** The list that this build was made with. */
  static LibraryList cu128() {
    try (InputStream in = LibraryList.class.getResourceAsStream("cu128.libraries")) {
      if (in == null) {
        throw new IllegalStateException("the resource cu128.libraries is missing");
      }
      return parse(
          new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).lines().toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static LibraryList parse(List<String> lines) {
    List<Artifact> artifacts = new ArrayList<>();
    String[] coordinates = {};
    String sha256 = "";
    String licence = "";
    Map<String, Role> files = new LinkedHashMap<>();
    List<String> all = new ArrayList<>(lines);
    all.add("artifact end");
    for (String line : all) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      String[] words = line.strip().split("\\s+", 2);
      String value = words.length > 1 ? words[1] : "";
      switch (words[0]) {
        case "artifact" -> {
          if (coordinates.length == 4) {
            artifacts.add(
                new Artifact(
                    coordinates[0],
                    coordinates[1],
                    coordinates[2],
                    coordinates[3],
                    sha256,
                    licence,
                    files));
          }
          coordinates = value.split(":", -1);
          files = new LinkedHashMap<>();
        }
        case "sha256" -> sha256 = value;
        case "licence" -> licence = value;
        default -> {
          Role role = Role.valueOf(words[0].toUpperCase(Locale.ROOT));
          for (String name : value.split("\\s+")) {
            files.put(name, role);
          }
        }
      }
    }
    return new LibraryList(artifacts);
  }

  /** Every file, by name. */
  Map<String, Role> files() {
    Map<String, Role> files = new LinkedHashMap<>();
    artifacts.forEach(a -> files.putAll(a.files));
    return files;
  }
}
