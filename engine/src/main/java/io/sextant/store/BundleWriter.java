package io.sextant.store;

import com.google.gson.JsonObject;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a trained model consists of and writes it as one {@link ModelBundle} directory.
 *
 * <p>A bundle is written whole or not at all: into a temporary sibling directory, every file forced
 * to the disk, then renamed into place. A bundle that was there is moved aside, and deleted only
 * when the new one is in place; after a failure it is what it was before. A directory that is
 * neither empty nor a bundle is never overwritten. Checksums are computed while writing.
 *
 * <p>The same content, {@link #created} and {@link #engineVersion} give the same bytes.
 *
 * <p>Memory: one chunk of a tensor, and the ids of one vocabulary. Thread safety: for one thread.
 */
public final class BundleWriter {

  private static final Set<String> TOP_LEVEL =
      Set.of(
          Manifest.FILE,
          Manifest.CHECKSUM_FILE,
          Manifest.STRATEGIES,
          Manifest.POLICY_FILE,
          Manifest.USERS_FILE,
          Manifest.ITEMS_FILE,
          Manifest.HISTORIES_FILE,
          Manifest.DOCUMENTS);

  private record Weights(
      String label, String type, JsonObject config, List<? extends TensorSource> tensors) {}

  private final AtomicFiles.Disk disk;
  private final List<Weights> strategies = new ArrayList<>();
  private @Nullable Weights policy;
  private Iterable<String> users = List.of();
  private Iterable<String> items = List.of();
  private @Nullable IntFunction<int[]> histories;
  private final Map<String, ByteBuffer> documents = new TreeMap<>();
  private final Map<String, String> provenance = new TreeMap<>();
  private @Nullable Instant created;
  private String engineVersion;

  /** An empty bundle; it needs at least one strategy before it can be written. */
  public BundleWriter() {
    this(AtomicFiles.DISK);
  }

  BundleWriter(AtomicFiles.Disk disk) {
    this.disk = disk;
    String version = BundleWriter.class.getPackage().getImplementationVersion();
    this.engineVersion = version == null ? "development" : version;
  }

  /**
   * Adds a strategy; the bundle keeps their order.
   *
   * @param name unique; 1 to 64 of a-z 0-9 . _ - with a letter or digit at both ends
   * @param type which kind of strategy it is, a short text
   * @param configJson a JSON object, at most 32 levels deep
   * @param tensors its weights, read when the bundle is written
   * @throws InvalidInputException if one of them cannot be used
   */
  public BundleWriter strategy(
      String name, String type, String configJson, List<? extends TensorSource> tensors) {
    Manifest.checkName(name, "a strategy's name");
    if (strategies.stream().anyMatch(strategy -> strategy.label().equals(name))) {
      throw new InvalidInputException("there are two strategies of the name " + name);
    }
    strategies.add(
        new Weights(
            name,
            Manifest.checkLabel(type, "the type of strategy " + name),
            config(configJson, "strategy " + name),
            List.copyOf(tensors)));
    return this;
  }

  /**
   * Sets the policy.
   *
   * @param version its version id, a short text
   * @param configJson a JSON object, at most 32 levels deep
   * @param tensors its weights, read when the bundle is written
   */
  public BundleWriter policy(
      String version, String configJson, List<? extends TensorSource> tensors) {
    policy =
        new Weights(
            Manifest.checkLabel(version, "the policy's version"),
            "policy",
            config(configJson, "the policy"),
            List.copyOf(tensors));
    return this;
  }

  private static JsonObject config(String json, String whose) {
    return StrictJson.object(json, Manifest.MAX_CONFIG_DEPTH, "the configuration of " + whose);
  }

  /** Sets the user ids in the order of the dense indices: any strings, unique, not empty. */
  public BundleWriter users(Iterable<String> ids) {
    users = ids;
    return this;
  }

  /** Sets the item ids in the order of the dense indices: any strings, unique, not empty. */
  public BundleWriter items(Iterable<String> ids) {
    items = ids;
    return this;
  }

  /**
   * Sets what each user did, so that who loads the bundle can serve users by what they did and
   * leave it out of their lists. Whoever must not hand on what people did leaves this out.
   *
   * @param historyOf the dense item indices of a user (0 to U - 1, in the order of {@link #users}),
   *     oldest first; asked twice for each user when the bundle is written
   */
  public BundleWriter histories(IntFunction<int[]> historyOf) {
    histories = historyOf;
    return this;
  }

  /**
   * Adds a free text, such as the items' titles or the schema of the features.
   *
   * @param name unique among the documents; the rules for a strategy's name hold
   */
  public BundleWriter document(String name, String text) {
    Manifest.checkName(name, "a document's name");
    try {
      if (documents.putIfAbsent(name, Text.encode(text)) != null) {
        throw new InvalidInputException("there are two documents of the name " + name);
      }
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(
          "document " + name + " holds half of a surrogate pair, which UTF-8 cannot hold", e);
    }
    return this;
  }

  /** Records where the model comes from: the recipe's text, data hash, seed, metrics, command. */
  public BundleWriter provenance(String key, String value) {
    Manifest.checkLabel(key, "a key of the provenance");
    if (!Text.isWellFormed(value)) {
      throw new InvalidInputException(
          "provenance " + key + " holds half of a surrogate pair, which UTF-8 cannot hold");
    }
    if (provenance.putIfAbsent(key, value) != null) {
      throw new InvalidInputException("provenance " + key + " is given twice");
    }
    return this;
  }

  /** Sets the time of creation, for bundles that must be the same byte for byte; default: now. */
  public BundleWriter created(Instant time) {
    created = time;
    return this;
  }

  /** Sets the version of the engine that is recorded; default: that of this jar. */
  public BundleWriter engineVersion(String version) {
    engineVersion = Manifest.checkLabel(version, "the engine's version");
    return this;
  }

  /**
   * Writes the bundle; parent directories are made.
   *
   * @throws InvalidInputException if the content or the place cannot be used
   * @throws SextantException if writing fails, for example on a full disk
   */
  public void write(Path directory) {
    if (strategies.isEmpty()) {
      throw new InvalidInputException("a bundle needs at least one strategy");
    }
    AtomicFiles.writeDirectory(directory, BundleWriter::isBundle, "model bundle", this::writeInto);
  }

  /** Whether a directory has a bundle's manifest and nothing at its top that a bundle has not. */
  private static boolean isBundle(Path directory) {
    if (!Files.isRegularFile(directory.resolve(Manifest.FILE), LinkOption.NOFOLLOW_LINKS)
        || !Files.isRegularFile(
            directory.resolve(Manifest.CHECKSUM_FILE), LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
      for (Path child : children) {
        if (!TOP_LEVEL.contains(String.valueOf(child.getFileName()))) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw AtomicFiles.failure("cannot read " + directory, e);
    }
  }

  private void writeInto(Path directory) throws IOException {
    Files.createDirectory(directory.resolve(Manifest.STRATEGIES));
    List<Manifest.StrategyPart> strategyParts = new ArrayList<>();
    for (Weights weights : strategies) {
      String file = Manifest.strategyFile(weights.label());
      strategyParts.add(
          new Manifest.StrategyPart(
              weights.label(),
              weights.type(),
              weights.config(),
              writeTensors(directory, file, weights.tensors()),
              specs(weights.tensors())));
    }
    Manifest.PolicyPart policyPart = null;
    Weights weights = policy;
    if (weights != null) {
      policyPart =
          new Manifest.PolicyPart(
              weights.label(),
              weights.config(),
              writeTensors(directory, Manifest.POLICY_FILE, weights.tensors()),
              specs(weights.tensors()));
    }
    Manifest.IdsPart userPart = writeIds(directory, Manifest.USERS_FILE, users, "user");
    Manifest.IdsPart itemPart = writeIds(directory, Manifest.ITEMS_FILE, items, "item");
    Manifest.HistoriesPart historiesPart = null;
    IntFunction<int[]> historyOf = histories;
    if (historyOf != null) {
      List<TensorSource> tensors =
          new HistoryTensors(historyOf, userPart.count(), itemPart.count()).tensors();
      historiesPart =
          new Manifest.HistoriesPart(
              writeTensors(directory, Manifest.HISTORIES_FILE, tensors), specs(tensors));
    }
    if (!documents.isEmpty()) {
      Files.createDirectory(directory.resolve(Manifest.DOCUMENTS));
    }
    Map<String, Manifest.FilePart> documentParts = new TreeMap<>();
    for (Map.Entry<String, ByteBuffer> document : documents.entrySet()) {
      String file = Manifest.documentFile(document.getKey());
      documentParts.put(
          document.getKey(),
          writeFile(
              directory,
              file,
              out -> AtomicFiles.writeFully(out, document.getValue().duplicate())));
    }
    ByteBuffer manifest =
        new Manifest(
                engineVersion,
                created == null ? Instant.now() : created,
                strategyParts,
                policyPart,
                userPart,
                itemPart,
                historiesPart,
                documentParts,
                provenance)
            .encode();
    Manifest.FilePart part =
        writeFile(directory, Manifest.FILE, out -> AtomicFiles.writeFully(out, manifest));
    String checksum = part.digest().sha256() + "  " + Manifest.FILE + "\n";
    writeFile(
        directory,
        Manifest.CHECKSUM_FILE,
        out ->
            AtomicFiles.writeFully(
                out, ByteBuffer.wrap(checksum.getBytes(StandardCharsets.US_ASCII))));
  }

  private static List<TensorSpec> specs(List<? extends TensorSource> tensors) {
    return SafetensorsHeader.layOut(tensors.stream().map(TensorSource::spec).toList(), Map.of())
        .entries()
        .stream()
        .map(SafetensorsHeader.Entry::spec)
        .toList();
  }

  private Manifest.FilePart writeTensors(
      Path directory, String file, List<? extends TensorSource> tensors) throws IOException {
    return writeFile(directory, file, out -> SafetensorsWriter.write(out, tensors, Map.of()));
  }

  private Manifest.IdsPart writeIds(Path directory, String file, Iterable<String> ids, String what)
      throws IOException {
    long[] count = {0};
    Manifest.FilePart part =
        writeFile(
            directory, file, (WritableByteChannel out) -> count[0] = IdLines.write(ids, what, out));
    return new Manifest.IdsPart(part, count[0]);
  }

  private Manifest.FilePart writeFile(Path directory, String file, AtomicFiles.FileBody body)
      throws IOException {
    return new Manifest.FilePart(file, AtomicFiles.writeNew(directory.resolve(file), body, disk));
  }
}
