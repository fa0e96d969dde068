package io.sextant.store;

import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A trained model on disk: named strategies and an optional policy with their tensors, the
 * vocabularies of users and items, the users' histories if wanted, free documents, and where it all
 * comes from. One directory, written by {@link BundleWriter}.
 *
 * <p>Opening verifies everything before anything is given out: format version, the length and
 * SHA-256 of every file, that no file is missing, added or a symbolic link, tensor shapes and types
 * against the manifest, that ids are unique and that histories are of known items. A bundle that
 * fails in any of it is refused.
 *
 * <p>The checksums find damage, not malice: whoever can write to the directory can also write
 * fitting checksums. No bundle, however made, leads outside its directory or to an element type
 * that native code cannot hold.
 *
 * <p>An open bundle keeps its files open and stays readable when it is replaced by another.
 *
 * <p>Cost: opening reads every byte once; ids and documents stay in the heap, tensors do not.
 * Thread safety: safe for many threads at once, see {@link StoredTensors}.
 */
public final class ModelBundle implements AutoCloseable {

  private static final int ID_DIGITS = 12;
  private static final int MAX_ATTEMPTS = 10;
  private static final long RETRY_NANOS = 5_000_000;

  private final Path directory;
  private final Manifest manifest;
  private final String contentId;
  private final List<SafetensorsFile> open = new ArrayList<>();
  private final List<StoredStrategy> strategies = new ArrayList<>();
  private Optional<StoredPolicy> policy = Optional.empty();
  private List<String> users = List.of();
  private List<String> items = List.of();
  private Optional<StoredHistories> histories = Optional.empty();
  private final Map<String, String> documents = new TreeMap<>();

  private ModelBundle(Path directory, Manifest manifest, String contentId) {
    this.directory = directory;
    this.manifest = manifest;
    this.contentId = contentId;
  }

  /**
   * Opens and verifies a bundle.
   *
   * @throws InvalidInputException if it is not there, damaged, or of a newer format; the message
   *     names the file
   * @throws SextantException if it cannot be read
   */
  public static ModelBundle open(Path directory) {
    for (int attempt = 1; ; attempt++) {
      Object before = identity(directory);
      try {
        return openOnce(directory);
      } catch (InvalidInputException e) {
        // Files of two bundles mix if this one is being replaced: then look again.
        boolean replaced =
            before == null
                ? !AtomicFiles.leftAsideHint(directory).isEmpty() || identity(directory) != null
                : !before.equals(identity(directory));
        if (!replaced || attempt == MAX_ATTEMPTS) {
          throw e;
        }
        LockSupport.parkNanos(RETRY_NANOS * attempt);
      }
    }
  }

  /** What tells a directory from another of the same name, or null if it is not there. */
  private static @Nullable Object identity(Path directory) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(directory, BasicFileAttributes.class);
      // The key alone would not do: a file system gives the number of a deleted folder to the next.
      return List.of(
          String.valueOf(attributes.fileKey()),
          attributes.creationTime(),
          attributes.lastModifiedTime());
    } catch (IOException e) {
      return null;
    }
  }

  private static ModelBundle openOnce(Path directory) {
    try {
      if (!Files.isDirectory(directory)) {
        throw new InvalidInputException(
            Files.exists(directory)
                ? directory + ": is not a folder, so not a model bundle"
                : directory
                    + ": there is no such model bundle"
                    + AtomicFiles.leftAsideHint(directory));
      }
      ByteBuffer manifest = readManifest(directory);
      String id = AtomicFiles.digest(manifest).sha256().substring(0, ID_DIGITS);
      ModelBundle bundle =
          new ModelBundle(
              directory, Manifest.parse(manifest, directory.resolve(Manifest.FILE).toString()), id);
      try {
        bundle.load();
      } catch (Throwable e) {
        AtomicFiles.closeQuietly(bundle, e);
        throw e;
      }
      return bundle;
    } catch (NoSuchFileException | NotDirectoryException e) {
      throw new InvalidInputException(
          directory + ": there is no " + e.getMessage() + ": the bundle is incomplete", e);
    } catch (IOException e) {
      throw AtomicFiles.failure("cannot read model bundle " + directory, e);
    }
  }

  /** The manifest, which has the right checksum, and a format that this engine knows. */
  private static ByteBuffer readManifest(Path directory) throws IOException {
    Path file = directory.resolve(Manifest.FILE);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new InvalidInputException(
          directory + ": has no " + Manifest.FILE + ", so it is not a model bundle");
    }
    ByteBuffer bytes = readSmall(file, Manifest.MAX_BYTES);
    Path checksumFile = directory.resolve(Manifest.CHECKSUM_FILE);
    boolean hasChecksum = Files.exists(checksumFile, LinkOption.NOFOLLOW_LINKS);
    if (hasChecksum) {
      String expected = AtomicFiles.digest(bytes).sha256() + "  " + Manifest.FILE + "\n";
      String found =
          StandardCharsets.ISO_8859_1.decode(readSmall(checksumFile, 1 << 10)).toString();
      if (!found.equals(expected)) {
        throw new InvalidInputException(
            "%s: does not have the checksum that %s gives: the bundle is damaged; restore it from a copy or train again"
                .formatted(file, Manifest.CHECKSUM_FILE));
      }
    }
    // A newer format may have another way of checking: its version is told before anything else.
    Manifest.parse(bytes.duplicate(), file.toString());
    if (!hasChecksum) {
      throw new InvalidInputException(
          checksumFile + ": is missing: the bundle is damaged; restore it from a copy");
    }
    return bytes;
  }

  private static ByteBuffer readSmall(Path file, long limit) throws IOException {
    try (FileChannel channel = openRegular(file)) {
      if (channel.size() > limit) {
        throw new InvalidInputException(
            "%s: has %d bytes, more than %d: this is not a model bundle, or it is damaged"
                .formatted(file, channel.size(), limit));
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) channel.size());
      AtomicFiles.readFully(channel, 0, bytes, file.toString());
      return bytes.flip();
    }
  }

  private static FileChannel openRegular(Path file) throws IOException {
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      throw new InvalidInputException(
          file + ": is missing: the bundle is incomplete; copy it again or train again", e);
    }
    if (!attributes.isRegularFile()) {
      throw new InvalidInputException(
          file
              + (attributes.isSymbolicLink() ? ": is a symbolic link" : ": is not a regular file")
              + ": a bundle holds regular files only");
    }
    return FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
  }

  private void load() throws IOException {
    checkListing();
    users = readIds(manifest.users());
    items = readIds(manifest.items());
    for (Manifest.StrategyPart part : manifest.strategies()) {
      strategies.add(
          new StoredStrategy(
              part.name(),
              part.type(),
              part.config().toString(),
              users.size(),
              items.size(),
              openTensors(part.file(), part.tensors())));
    }
    Manifest.PolicyPart part = manifest.policy();
    if (part != null) {
      policy =
          Optional.of(
              new StoredPolicy(
                  part.version(),
                  part.config().toString(),
                  openTensors(part.file(), part.tensors())));
    }
    Manifest.HistoriesPart historiesPart = manifest.histories();
    if (historiesPart != null) {
      histories =
          Optional.of(
              StoredHistories.open(
                  openTensors(historiesPart.file(), historiesPart.tensors()),
                  users.size(),
                  items.size(),
                  directory.resolve(Manifest.HISTORIES_FILE).toString()));
    }
    for (Map.Entry<String, Manifest.FilePart> document : manifest.documents().entrySet()) {
      documents.put(document.getKey(), readText(document.getValue()));
    }
  }

  /** Refuses what the manifest does not list; that what it lists is there shows in opening it. */
  private void checkListing() throws IOException {
    Set<String> files = new HashSet<>(Set.of(Manifest.FILE, Manifest.CHECKSUM_FILE));
    Set<String> folders = new HashSet<>();
    for (Manifest.FilePart part : manifest.files()) {
      files.add(part.file());
      int slash = part.file().indexOf('/');
      if (slash >= 0) {
        folders.add(part.file().substring(0, slash));
      }
    }
    checkFolder(directory, "", files, folders);
    for (String folder : folders) {
      Path path = directory.resolve(folder);
      if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        checkFolder(path, folder + "/", files, Set.of());
      } else {
        throw new InvalidInputException(
            path + ": is not a folder: the bundle is damaged; copy it again or train again");
      }
    }
  }

  private static void checkFolder(
      Path folder, String prefix, Set<String> files, Set<String> folders) throws IOException {
    try (DirectoryStream<Path> children = Files.newDirectoryStream(folder)) {
      for (Path child : children) {
        String name = String.valueOf(child.getFileName());
        if (!files.contains(prefix + name) && !folders.contains(prefix + name)) {
          throw new InvalidInputException(
              child + ": does not belong to the bundle, its manifest does not list it: remove it");
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  /** Opens a file of which length and checksum are right. */
  private FileChannel openVerified(Manifest.FilePart part) throws IOException {
    Path file = directory.resolve(part.file());
    FileChannel channel = openRegular(file);
    try {
      if (channel.size() != part.digest().bytes()) {
        throw new InvalidInputException(
            "%s: has %d bytes instead of %d: the bundle is damaged; copy it again or train again"
                .formatted(file, channel.size(), part.digest().bytes()));
      }
      if (!AtomicFiles.digest(channel, file.toString()).equals(part.digest())) {
        throw new InvalidInputException(
            file
                + ": does not have the checksum that the manifest gives: the bundle is damaged;"
                + " copy it again or train again");
      }
      return channel;
    } catch (Throwable e) {
      AtomicFiles.closeQuietly(channel, e);
      throw e;
    }
  }

  private StoredTensors openTensors(Manifest.FilePart part, List<TensorSpec> specs)
      throws IOException {
    String where = directory.resolve(part.file()).toString();
    SafetensorsFile tensors = SafetensorsFile.open(openVerified(part), where);
    open.add(tensors);
    if (!tensors.specs().equals(specs)) {
      throw new InvalidInputException(
          "%s: has the tensors %s but the manifest lists %s"
              .formatted(where, tensors.specs(), specs));
    }
    return tensors;
  }

  private List<String> readIds(Manifest.IdsPart part) throws IOException {
    Path file = directory.resolve(part.file().file());
    try (FileChannel channel = openVerified(part.file())) {
      List<String> ids = IdLines.read(channel, file.toString());
      if (ids.size() != part.count()) {
        throw new InvalidInputException(
            "%s: has %d ids but the manifest counts %d".formatted(file, ids.size(), part.count()));
      }
      return ids;
    }
  }

  private String readText(Manifest.FilePart part) throws IOException {
    Path file = directory.resolve(part.file());
    try (FileChannel channel = openVerified(part)) {
      if (channel.size() > Integer.MAX_VALUE - 8) {
        throw new InvalidInputException(
            file + ": has " + channel.size() + " bytes, too many for a document");
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) channel.size());
      AtomicFiles.readFully(channel, 0, bytes, file.toString());
      return Text.decode(bytes.flip());
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(file + ": is not UTF-8 text", e);
    }
  }

  /** The directory that was opened. */
  public Path directory() {
    return directory;
  }

  /**
   * Twelve hexadecimal digits of the manifest's SHA-256, and so of all files: by this a service
   * says which bundle made a list.
   */
  public String contentId() {
    return contentId;
  }

  /** The version of the engine that wrote the bundle. */
  public String engineVersion() {
    return manifest.engineVersion();
  }

  /** When the bundle was written. */
  public Instant created() {
    return manifest.created();
  }

  /** The strategies in the order in which they were written. */
  public List<StoredStrategy> strategies() {
    return List.copyOf(strategies);
  }

  /**
   * One strategy.
   *
   * @throws InvalidInputException if there is none of this name; the message lists what there is
   */
  public StoredStrategy strategy(String name) {
    for (StoredStrategy strategy : strategies) {
      if (strategy.name().equals(name)) {
        return strategy;
      }
    }
    throw new InvalidInputException(
        "%s: has no strategy %s, only %s"
            .formatted(
                directory,
                Text.quote(name),
                strategies.stream().map(StoredStrategy::name).toList()));
  }

  /** The policy, if the bundle has one. */
  public Optional<StoredPolicy> policy() {
    return policy;
  }

  /** The user ids in the order of the dense indices; cannot be modified. */
  public List<String> users() {
    return users;
  }

  /** The item ids in the order of the dense indices; cannot be modified. */
  public List<String> items() {
    return items;
  }

  /** What each user did, if the bundle was written with it. */
  public Optional<StoredHistories> histories() {
    return histories;
  }

  /** The names of the documents, sorted. */
  public Set<String> documents() {
    return manifest.documents().keySet();
  }

  /** One document, if there is one of this name. */
  public Optional<String> document(String name) {
    return Optional.ofNullable(documents.get(name));
  }

  /** Where the model comes from, by key. */
  public Map<String, String> provenance() {
    return manifest.provenance();
  }

  /** Closes all files; tensors cannot be read any more. Closing twice does nothing. */
  @Override
  public void close() {
    SextantException failure = null;
    for (SafetensorsFile file : open) {
      try {
        file.close();
      } catch (SextantException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public String toString() {
    return "ModelBundle["
        + directory
        + ", strategies "
        + strategies.stream().map(StoredStrategy::name).toList()
        + ", "
        + users.size()
        + " users, "
        + items.size()
        + " items]";
  }
}
