package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Writes a tar archive in the form that every tar reads (POSIX.1-1988 ustar). Owner and time are
 * zero, so that the same content gives the same bytes.
 */
final class TarWriter implements AutoCloseable {

  static final int EXECUTABLE = 0755;
  static final int PLAIN = 0644;

  private static final int BLOCK = 512;
  private static final long MAX_SIZE = (1L << 33) - 1;

  private final OutputStream out;

  TarWriter(OutputStream out) {
    this.out = out;
  }

  /** Adds a file as it is on the disk. */
  void file(String name, Path file, int mode) throws IOException {
    long size = Files.size(file);
    header(name, size, mode, '0', "");
    try (InputStream in = Files.newInputStream(file)) {
      if (in.transferTo(out) != size) {
        throw new IOException(file + " changed while it was read");
      }
    }
    pad(size);
  }

  /** Adds a short text as a file. */
  void text(String name, String text, int mode) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    header(name, bytes.length, mode, '0', "");
    out.write(bytes);
    pad(bytes.length);
  }

  /** Adds a folder with all in it. A link that leads out of the folder becomes what it leads to. */
  void tree(String name, Path folder) throws IOException {
    Path real = folder.toRealPath();
    tree(name, real, real);
  }

  private void tree(String name, Path folder, Path root) throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(folder)) {
      files = list.sorted().toList();
    }
    for (Path file : files) {
      String path = name + "/" + file.getFileName();
      Path target = file.toRealPath();
      if (Files.isSymbolicLink(file) && target.startsWith(root)) {
        header(path, 0, 0777, '2', folder.relativize(target).toString());
      } else if (Files.isDirectory(target)) {
        tree(path, target, root);
      } else {
        file(path, target, Files.isExecutable(target) ? EXECUTABLE : PLAIN);
      }
    }
  }

  private void header(String name, long size, int mode, char type, String link) throws IOException {
    byte[] block = new byte[BLOCK];
    byte[] path = name.getBytes(StandardCharsets.UTF_8);
    int cut = 0;
    if (path.length > 100) {
      // The front goes into a field of its own; the cut must be at a slash.
      cut = name.indexOf('/', name.length() - 101);
    }
    if (cut < 0 || cut > 155 || path.length != name.length() || link.length() > 100) {
      throw new IOException("the name is too long or too strange for a tar archive: " + name);
    }
    if (size > MAX_SIZE) {
      throw new IOException(name + " has more than 8 GB");
    }
    put(block, 0, cut == 0 ? name : name.substring(cut + 1));
    put(block, 100, octal(mode, 7));
    put(block, 108, octal(0, 7));
    put(block, 116, octal(0, 7));
    put(block, 124, octal(size, 11));
    put(block, 136, octal(0, 11));
    put(block, 148, "        ");
    block[156] = (byte) type;
    put(block, 157, link);
    put(block, 257, "ustar\0" + "00");
    put(block, 345, name.substring(0, cut));
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    put(block, 148, octal(sum, 6) + "\0 ");
    out.write(block);
  }

  private static void put(byte[] block, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(bytes, 0, block, at, bytes.length);
  }

  private static String octal(long value, int digits) {
    return String.format(Locale.ROOT, "%0" + digits + "o", value);
  }

  private void pad(long size) throws IOException {
    int rest = (int) (size % BLOCK);
    if (rest > 0) {
      out.write(new byte[BLOCK - rest]);
    }
  }

  /** Ends the archive and closes the stream. */
  @Override
  public void close() throws IOException {
    try (out) {
      out.write(new byte[2 * BLOCK]);
    }
  }
}
