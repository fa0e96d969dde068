package io.sextant.store;

import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files and directories that appear whole or not at all: written beside the target, forced to the
 * disk, renamed into place.
 */
final class AtomicFiles {

  private static final Logger LOG = LoggerFactory.getLogger(AtomicFiles.class);
  private static final int IO_BYTES = 1 << 20;

  /** Where new files come from; tests put in one that fails. */
  @FunctionalInterface
  interface Disk {
    WritableByteChannel create(Path file) throws IOException;
  }

  /** Writes the content of one file. */
  @FunctionalInterface
  interface FileBody {
    void write(WritableByteChannel out) throws IOException;
  }

  /** Writes the content of one directory. */
  @FunctionalInterface
  interface DirectoryBody {
    void write(Path directory) throws IOException;
  }

  /** Length and SHA-256 (64 lower-case hexadecimal digits) of a file. */
  record Digest(long bytes, String sha256) {}

  static final Disk DISK =
      file -> FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

  private AtomicFiles() {}

  /** Writes one file in place of whatever file was there. */
  static void writeFile(Path file, FileBody body, Disk disk) {
    Path target = file.toAbsolutePath().normalize();
    String what = "cannot write " + file;
    if (target.getFileName() == null || Files.isDirectory(target)) {
      throw new InvalidInputException(what + ": it is a folder; give the name of a file");
    }
    Path temporary = sibling(target, "tmp");
    try {
      createParents(target);
      try {
        writeNew(temporary, body, disk);
        Files.move(
            temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (Throwable e) {
        deleteQuietly(temporary, e);
        throw e;
      }
      syncDirectory(parent(target));
    } catch (IOException e) {
      throw failure(what, e);
    }
  }

  /**
   * Writes one directory in place of nothing, an empty directory, or one that may be replaced.
   *
   * @param mayReplace tells whether a directory that is not empty may be replaced
   */
  static void writeDirectory(
      Path directory, Predicate<Path> mayReplace, String kind, DirectoryBody body) {
    Path target = directory.toAbsolutePath().normalize();
    String what = "cannot write " + kind + " " + directory;
    checkReplaceable(target, mayReplace, kind, what);
    Path temporary = sibling(target, "tmp");
    try {
      createParents(target);
      try {
        Files.createDirectory(temporary);
        body.write(temporary);
        syncTree(temporary);
        checkReplaceable(target, mayReplace, kind, what);
        swapIn(temporary, target);
      } catch (Throwable e) {
        deleteQuietly(temporary, e);
        throw e;
      }
    } catch (IOException e) {
      throw failure(what, e);
    }
  }

  private static void checkReplaceable(
      Path target, Predicate<Path> mayReplace, String kind, String what) {
    if (target.getFileName() == null) {
      throw new InvalidInputException(what + ": it is the root of a file system");
    }
    if (Files.isSymbolicLink(target)) {
      throw new InvalidInputException(
          what + ": it is a symbolic link; give the folder that it points to");
    }
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(target)) {
      throw new InvalidInputException(
          what + ": there is a file of this name; give another place or remove it");
    }
    try (DirectoryStream<Path> children = Files.newDirectoryStream(target)) {
      if (children.iterator().hasNext() && !mayReplace.test(target)) {
        throw new InvalidInputException(
            "%s: the folder is neither empty nor a %s, and is not overwritten; give another place"
                .formatted(what, kind));
      }
    } catch (IOException e) {
      throw failure(what, e);
    }
  }

  /** Moves the old directory aside, the new one in, and only then deletes the old one. */
  private static void swapIn(Path temporary, Path target) throws IOException {
    Path aside = null;
    if (Files.exists(target)) {
      aside = sibling(target, "old");
      Files.move(target, aside, StandardCopyOption.ATOMIC_MOVE);
    }
    try {
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (Throwable e) {
      if (aside != null) {
        try {
          Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException again) {
          again.addSuppressed(e);
          throw new IOException(
              "the new one could not be moved in, and the old one lies in " + aside, again);
        }
      }
      throw e;
    }
    syncDirectory(parent(target));
    if (aside != null) {
      try {
        deleteTree(aside);
      } catch (IOException e) {
        LOG.warn("{} was replaced but its old content could not be deleted: {}", target, aside, e);
      }
    }
  }

  /**
   * What an interrupted replacement left of a directory that is now missing, for a message.
   *
   * @return a hint that begins with "; ", or an empty string
   */
  static String leftAsideHint(Path directory) {
    Path target = directory.toAbsolutePath().normalize();
    Path name = target.getFileName();
    if (name == null) {
      return "";
    }
    try (DirectoryStream<Path> siblings =
        Files.newDirectoryStream(
            parent(target),
            path -> String.valueOf(path.getFileName()).startsWith("." + name + ".old-"))) {
      for (Path sibling : siblings) {
        return "; writing it was interrupted and the version before lies in "
            + sibling
            + ": rename that back";
      }
    } catch (IOException e) {
      // A hint is not worth an error of its own.
    }
    return "";
  }

  /** Writes a file that must not exist, through its digest, and forces it to the disk. */
  static Digest writeNew(Path file, FileBody body, Disk disk) throws IOException {
    try (WritableByteChannel channel = disk.create(file)) {
      DigestChannel digest = new DigestChannel(channel);
      body.write(digest);
      if (channel instanceof FileChannel onDisk) {
        onDisk.force(true);
      }
      return digest.digest();
    }
  }

  /** Reads a file from its beginning to its end for its digest. */
  static Digest digest(FileChannel file, String where) throws IOException {
    MessageDigest sha256 = sha256();
    ByteBuffer buffer = ByteBuffer.allocate(IO_BYTES);
    long size = file.size();
    for (long at = 0; at < size; at += buffer.limit()) {
      buffer.clear().limit((int) Math.min(IO_BYTES, size - at));
      readFully(file, at, buffer, where);
      sha256.update(buffer.flip());
    }
    return new Digest(size, HexFormat.of().formatHex(sha256.digest()));
  }

  /** The digest of bytes in memory. */
  static Digest digest(ByteBuffer bytes) {
    MessageDigest sha256 = sha256();
    int size = bytes.remaining();
    sha256.update(bytes.duplicate());
    return new Digest(size, HexFormat.of().formatHex(sha256.digest()));
  }

  static void writeFully(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    int limit = bytes.limit();
    while (bytes.position() < limit) {
      // In slices: the JDK keeps a direct copy as large as the largest heap buffer ever written.
      bytes.limit(Math.min(limit, bytes.position() + IO_BYTES));
      out.write(bytes);
    }
  }

  static void readFully(FileChannel file, long at, ByteBuffer into, String where)
      throws IOException {
    int limit = into.limit();
    long position = at;
    while (into.position() < limit) {
      into.limit(Math.min(limit, into.position() + IO_BYTES));
      int read = file.read(into, position);
      if (read < 0) {
        throw new InvalidInputException(where + ": became shorter while it was read");
      }
      position += read;
    }
  }

  /** An exception whose message names the path, the cause, and how to mend it. */
  static SextantException failure(String what, IOException e) {
    if (e instanceof AccessDeniedException) {
      return new InvalidInputException(what + ": permission denied for " + e.getMessage(), e);
    }
    if (e instanceof NoSuchFileException) {
      return new InvalidInputException(what + ": there is no " + e.getMessage(), e);
    }
    if (e instanceof NotDirectoryException || e instanceof FileAlreadyExistsException) {
      return new InvalidInputException(what + ": " + e.getMessage() + " is not a folder", e);
    }
    if (e instanceof DirectoryNotEmptyException) {
      return new SextantException(
          what + ": another process wrote to " + e.getMessage() + " at the same time", e);
    }
    String reason = String.valueOf(e.getMessage());
    if (e instanceof FileSystemException system && system.getReason() != null) {
      reason = system.getReason() + " (" + system.getFile() + ")";
    }
    String lower = reason.toLowerCase(Locale.ROOT);
    if (lower.contains("not a directory") || lower.contains("read-only file system")) {
      return new InvalidInputException(what + ": " + reason + "; give another place", e);
    }
    if (lower.contains("no space left") || lower.contains("quota")) {
      return new SextantException(
          what + ": " + reason + "; free space or give another place, nothing was changed", e);
    }
    return new SextantException(what + ": " + reason, e);
  }

  static void closeQuietly(AutoCloseable closeable, Throwable because) {
    try {
      closeable.close();
    } catch (Exception e) {
      because.addSuppressed(e);
    }
  }

  private static void createParents(Path target) throws IOException {
    Files.createDirectories(parent(target));
  }

  private static Path parent(Path target) {
    Path parent = target.getParent();
    if (parent == null) {
      throw new InvalidInputException(target + " is the root of a file system");
    }
    return parent;
  }

  /** A hidden name in the same directory, so that a rename does not leave the file system. */
  private static Path sibling(Path target, String kind) {
    return target.resolveSibling("." + target.getFileName() + "." + kind + "-" + UUID.randomUUID());
  }

  private static void syncTree(Path directory) throws IOException {
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            syncDirectory(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Forces a directory's entries to the disk, where the platform can open a directory. */
  private static void syncDirectory(Path directory) throws IOException {
    FileChannel channel;
    try {
      channel = FileChannel.open(directory, StandardOpenOption.READ);
    } catch (IOException e) {
      // Windows cannot open a directory; renames are durable there without.
      return;
    }
    try (channel) {
      channel.force(true);
    }
  }

  private static void deleteQuietly(Path path, Throwable because) {
    try {
      if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
        deleteTree(path);
      }
    } catch (IOException e) {
      because.addSuppressed(e);
    }
  }

  private static void deleteTree(Path path) throws IOException {
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            Files.delete(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** Counts and digests what passes through. */
  private static final class DigestChannel implements WritableByteChannel {

    private final WritableByteChannel out;
    private final MessageDigest sha256 = sha256();
    private long bytes;

    DigestChannel(WritableByteChannel out) {
      this.out = out;
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
      ByteBuffer seen = buffer.duplicate();
      int written = out.write(buffer);
      sha256.update(seen.limit(seen.position() + written));
      bytes += written;
      return written;
    }

    Digest digest() {
      return new Digest(bytes, HexFormat.of().formatHex(sha256.digest()));
    }

    @Override
    public boolean isOpen() {
      return out.isOpen();
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
