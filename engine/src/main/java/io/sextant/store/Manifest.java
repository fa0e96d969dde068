package io.sextant.store;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.sextant.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/*
 * The files of a bundle:
 *
 *   manifest.json                   what the bundle holds; length and SHA-256 of every file below
 *   manifest.sha256                 SHA-256 of the manifest, as sha256sum writes it
 *   strategies/NAME.safetensors     one per strategy
 *   policy.safetensors              if there is a policy
 *   users.ids, items.ids            vocabularies, see IdLines
 *   histories.safetensors           if there are histories, see StoredHistories; format 2
 *   documents/NAME                  free texts, UTF-8
 *
 * Nothing else may lie in the directory, and the names of files follow from the manifest's names:
 * a manifest cannot point anywhere else. Every change of the format, also a new field, raises the
 * format version, so that no reader passes over what it does not understand. A bundle is written in
 * the oldest format that can hold it.
 */

/** The table of contents of a bundle. */
record Manifest(
    String engineVersion,
    Instant created,
    List<StrategyPart> strategies,
    @Nullable PolicyPart policy,
    IdsPart users,
    IdsPart items,
    @Nullable HistoriesPart histories,
    Map<String, FilePart> documents,
    Map<String, String> provenance) {

  static final int FORMAT_VERSION = 2;

  /** The first format that can hold histories. */
  private static final int WITH_HISTORIES = 2;

  static final String FILE = "manifest.json";
  static final String CHECKSUM_FILE = "manifest.sha256";
  static final String STRATEGIES = "strategies";
  static final String POLICY_FILE = "policy.safetensors";
  static final String USERS_FILE = "users.ids";
  static final String ITEMS_FILE = "items.ids";
  static final String HISTORIES_FILE = "histories.safetensors";
  static final String DOCUMENTS = "documents";

  static final long MAX_BYTES = 64 << 20;
  static final int MAX_CONFIG_DEPTH = 32;
  private static final int MAX_DEPTH = MAX_CONFIG_DEPTH + 8;
  private static final int MAX_LABEL = 200;

  /** Lower case only: on some file systems names that differ in case are the same file. */
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?");

  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  /** A file, relative to the bundle with '/' as separator. */
  record FilePart(String file, AtomicFiles.Digest digest) {}

  record IdsPart(FilePart file, long count) {}

  record StrategyPart(
      String name, String type, JsonObject config, FilePart file, List<TensorSpec> tensors) {}

  record PolicyPart(String version, JsonObject config, FilePart file, List<TensorSpec> tensors) {}

  record HistoriesPart(FilePart file, List<TensorSpec> tensors) {}

  static String strategyFile(String name) {
    return STRATEGIES + "/" + name + ".safetensors";
  }

  static String documentFile(String name) {
    return DOCUMENTS + "/" + name;
  }

  /** A name that becomes the name of a file. */
  static String checkName(String name, String what) {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidInputException(
          "%s must be 1 to 64 of a-z 0-9 . _ - with a letter or digit at both ends but was %s"
              .formatted(what, Text.quote(name)));
    }
    return name;
  }

  /** A short text on one line. */
  static String checkLabel(String label, String what) {
    if (label.isEmpty()
        || label.length() > MAX_LABEL
        || !Text.isWellFormed(label)
        || label.chars().anyMatch(Character::isISOControl)) {
      throw new InvalidInputException(
          "%s must be 1 to %d characters of well-formed text on one line but was %s"
              .formatted(what, MAX_LABEL, Text.quote(label)));
    }
    return label;
  }

  /** All files but the manifest and its checksum. */
  List<FilePart> files() {
    List<FilePart> files = new ArrayList<>();
    strategies.forEach(part -> files.add(part.file()));
    if (policy != null) {
      files.add(policy.file());
    }
    files.add(users.file());
    files.add(items.file());
    if (histories != null) {
      files.add(histories.file());
    }
    files.addAll(documents.values());
    return files;
  }

  ByteBuffer encode() {
    JsonObject json = new JsonObject();
    json.addProperty("formatVersion", histories == null ? 1 : WITH_HISTORIES);
    json.addProperty("engineVersion", engineVersion);
    json.addProperty("created", created.toString());
    JsonArray strategyArray = new JsonArray();
    for (StrategyPart part : strategies) {
      JsonObject strategy = new JsonObject();
      strategy.addProperty("name", part.name());
      strategy.addProperty("type", part.type());
      strategy.add("config", part.config());
      addFile(strategy, part.file());
      strategy.add("tensors", encode(part.tensors()));
      strategyArray.add(strategy);
    }
    json.add("strategies", strategyArray);
    if (policy != null) {
      JsonObject object = new JsonObject();
      object.addProperty("version", policy.version());
      object.add("config", policy.config());
      addFile(object, policy.file());
      object.add("tensors", encode(policy.tensors()));
      json.add("policy", object);
    }
    json.add("users", encode(users));
    json.add("items", encode(items));
    if (histories != null) {
      JsonObject object = new JsonObject();
      addFile(object, histories.file());
      object.add("tensors", encode(histories.tensors()));
      json.add("histories", object);
    }
    JsonArray documentArray = new JsonArray();
    documents.forEach(
        (name, part) -> {
          JsonObject document = new JsonObject();
          document.addProperty("name", name);
          addFile(document, part);
          documentArray.add(document);
        });
    json.add("documents", documentArray);
    JsonObject provenanceObject = new JsonObject();
    provenance.forEach(provenanceObject::addProperty);
    json.add("provenance", provenanceObject);
    String text =
        new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create()
            .toJson(json);
    try {
      ByteBuffer bytes = Text.encode(text + "\n");
      if (bytes.remaining() > MAX_BYTES) {
        throw new InvalidInputException(
            "the manifest takes %d bytes, more than %d: move long texts into documents"
                .formatted(bytes.remaining(), MAX_BYTES));
      }
      return bytes;
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(
          "a configuration holds half of a surrogate pair, which UTF-8 cannot hold", e);
    }
  }

  private static JsonArray encode(List<TensorSpec> specs) {
    JsonArray array = new JsonArray();
    for (TensorSpec spec : specs) {
      JsonObject object = new JsonObject();
      object.addProperty("name", spec.name());
      object.addProperty("type", spec.type().name());
      JsonArray shape = new JsonArray();
      spec.shape().forEach(shape::add);
      object.add("shape", shape);
      array.add(object);
    }
    return array;
  }

  private static JsonObject encode(IdsPart ids) {
    JsonObject object = new JsonObject();
    addFile(object, ids.file());
    object.addProperty("count", ids.count());
    return object;
  }

  private static void addFile(JsonObject object, FilePart part) {
    object.addProperty("file", part.file());
    object.addProperty("bytes", part.digest().bytes());
    object.addProperty("sha256", part.digest().sha256());
  }

  /**
   * Parses a manifest.
   *
   * @throws InvalidInputException if it is of a newer format or not exactly right
   */
  static Manifest parse(ByteBuffer utf8, String where) {
    String text;
    try {
      text = Text.decode(utf8);
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(where + ": is not UTF-8 text", e);
    }
    Fields json = new Fields(StrictJson.object(text, MAX_DEPTH, where), where);
    long version = json.size("formatVersion");
    if (version > FORMAT_VERSION) {
      throw new InvalidInputException(
          "%s: written by format %d, this engine reads up to %d: upgrade the engine"
              .formatted(where, version, FORMAT_VERSION));
    }
    if (version < 1) {
      throw new InvalidInputException(where + ": formatVersion must be >= 1 but was " + version);
    }
    String engineVersion = checkLabel(json.string("engineVersion"), where + ": engineVersion");
    Instant created;
    try {
      created = Instant.parse(json.string("created"));
    } catch (DateTimeParseException e) {
      throw new InvalidInputException(
          where + ": created is not a time such as 2030-01-31T12:00:00Z", e);
    }
    Set<String> names = new HashSet<>();
    List<StrategyPart> strategies =
        json.objects(
            "strategies",
            fields -> {
              String name = checkName(fields.string("name"), fields.where + ": name");
              if (!names.add(name)) {
                throw new InvalidInputException(fields.where + ": repeats the name " + name);
              }
              return new StrategyPart(
                  name,
                  checkLabel(fields.string("type"), fields.where + ": type"),
                  fields.object("config"),
                  fields.file(strategyFile(name)),
                  fields.tensors());
            });
    PolicyPart policy = null;
    if (json.has("policy")) {
      Fields fields = new Fields(json.object("policy"), where + ": policy");
      policy =
          new PolicyPart(
              checkLabel(fields.string("version"), fields.where + ": version"),
              fields.object("config"),
              fields.file(POLICY_FILE),
              fields.tensors());
      fields.done();
    }
    IdsPart users = json.ids("users", USERS_FILE);
    IdsPart items = json.ids("items", ITEMS_FILE);
    HistoriesPart histories = null;
    if (version >= WITH_HISTORIES && json.has("histories")) {
      Fields fields = new Fields(json.object("histories"), where + ": histories");
      histories = new HistoriesPart(fields.file(HISTORIES_FILE), fields.tensors());
      fields.done();
    }
    Map<String, FilePart> documents = new TreeMap<>();
    json.objects(
        "documents",
        fields -> {
          String name = checkName(fields.string("name"), fields.where + ": name");
          if (documents.put(name, fields.file(documentFile(name))) != null) {
            throw new InvalidInputException(fields.where + ": repeats the name " + name);
          }
          return name;
        });
    Map<String, String> provenance = new TreeMap<>();
    Fields texts = new Fields(json.object("provenance"), where + ": provenance");
    for (String key : texts.keys()) {
      provenance.put(key, texts.string(key));
    }
    json.done();
    return new Manifest(
        engineVersion,
        created,
        strategies,
        policy,
        users,
        items,
        histories,
        Collections.unmodifiableMap(documents),
        Collections.unmodifiableMap(provenance));
  }

  /** The fields of one object, each asked for once; none may be left over. */
  private static final class Fields {

    private final Map<String, JsonElement> left = new TreeMap<>();
    private final String where;

    Fields(JsonObject json, String where) {
      json.entrySet().forEach(entry -> left.put(entry.getKey(), entry.getValue()));
      this.where = where;
    }

    boolean has(String key) {
      return left.containsKey(key);
    }

    List<String> keys() {
      return List.copyOf(left.keySet());
    }

    void done() {
      if (!left.isEmpty()) {
        throw new InvalidInputException(
            where + ": unknown field " + Text.quote(left.keySet().iterator().next()));
      }
    }

    private JsonElement take(String key) {
      JsonElement value = left.remove(key);
      if (value == null) {
        throw new InvalidInputException(where + ": field " + Text.quote(key) + " is missing");
      }
      return value;
    }

    private InvalidInputException wrong(String key, String expected) {
      return new InvalidInputException(where + ": " + Text.quote(key) + " must be " + expected);
    }

    String string(String key) {
      if (take(key) instanceof JsonPrimitive primitive && primitive.isString()) {
        return primitive.getAsString();
      }
      throw wrong(key, "a string");
    }

    long size(String key) {
      return size(take(key), key);
    }

    private long size(JsonElement value, String key) {
      if (value instanceof JsonPrimitive primitive && primitive.isNumber()) {
        return StrictJson.size(primitive.getAsString(), where + ": " + Text.quote(key));
      }
      throw wrong(key, "a whole number");
    }

    JsonObject object(String key) {
      if (take(key) instanceof JsonObject object) {
        return object;
      }
      throw wrong(key, "an object");
    }

    private JsonArray array(String key) {
      if (take(key) instanceof JsonArray array) {
        return array;
      }
      throw wrong(key, "an array");
    }

    <T> List<T> objects(String key, Function<Fields, T> read) {
      List<T> values = new ArrayList<>();
      for (JsonElement element : array(key)) {
        if (!(element instanceof JsonObject object)) {
          throw wrong(key, "an array of objects");
        }
        Fields fields = new Fields(object, where + ": " + key + "[" + values.size() + "]");
        values.add(read.apply(fields));
        fields.done();
      }
      return Collections.unmodifiableList(values);
    }

    FilePart file(String expected) {
      String file = string("file");
      if (!file.equals(expected)) {
        throw new InvalidInputException(
            "%s: the file must be %s but was %s".formatted(where, expected, Text.quote(file)));
      }
      long bytes = size("bytes");
      String sha256 = string("sha256");
      if (!SHA256.matcher(sha256).matches()) {
        throw wrong("sha256", "64 hexadecimal digits in lower case");
      }
      return new FilePart(file, new AtomicFiles.Digest(bytes, sha256));
    }

    IdsPart ids(String key, String expected) {
      Fields fields = new Fields(object(key), where + ": " + key);
      IdsPart ids = new IdsPart(fields.file(expected), fields.size("count"));
      fields.done();
      return ids;
    }

    List<TensorSpec> tensors() {
      return objects(
          "tensors",
          fields -> {
            List<Long> shape = new ArrayList<>();
            for (JsonElement d : fields.array("shape")) {
              shape.add(fields.size(d, "shape"));
            }
            try {
              return new TensorSpec(
                  fields.string("name"), TensorType.parse(fields.string("type")), shape);
            } catch (InvalidInputException e) {
              throw new InvalidInputException(fields.where + ": " + e.getMessage(), e);
            }
          });
    }
  }
}
