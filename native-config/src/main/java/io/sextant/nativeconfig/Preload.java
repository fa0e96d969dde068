package io.sextant.nativeconfig;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads what the system's loader would not find by itself. DJL loads the libraries of a folder one
 * by one, in the order in which the file system lists them; a library that names no place to look
 * for what it needs (libgfortran, which needs libquadmath) then fails unless that was loaded
 * before.
 */
final class Preload {

  private static final Logger log = LoggerFactory.getLogger(Preload.class);

  /** JNA unloads what nobody holds. */
  private static final List<NativeLibrary> LOADED = new CopyOnWriteArrayList<>();

  private Preload() {}

  static void what(Path folder) {
    if (!Platform.isLinux()) {
      return;
    }
    try (Stream<Path> files = Files.list(folder)) {
      // PyTorch's own know their folder, and have long tables.
      for (Path file : files.filter(f -> !f.getFileName().toString().contains("torch")).toList()) {
        for (Path needed : neededFromFolder(file, folder)) {
          log.debug("loading {} for {}", needed, file.getFileName());
          LOADED.add(NativeLibrary.getInstance(needed.toString()));
        }
      }
    } catch (IOException | LinkageError e) {
      log.warn("cannot prepare the libraries in {}: {}", folder, e.toString());
    }
  }

  /** What a library needs from its own folder and would not look for there. */
  static List<Path> neededFromFolder(Path file, Path folder) throws IOException {
    if (!Files.isRegularFile(file) || !ElfFile.is(file)) {
      return List.of();
    }
    ElfFile elf = ElfFile.read(file);
    return elf.runPath().isEmpty()
        ? elf.needed().stream().map(folder::resolve).filter(Files::isRegularFile).toList()
        : List.of();
  }
}
