package io.sextant.store;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import io.sextant.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/*
 * The layout of a safetensors file:
 *
 *   8 bytes          N, the header's length, little endian
 *   N bytes          a JSON object, UTF-8, begins with '{', padded with spaces to a multiple of 8
 *   the rest         the tensors' values, without a gap
 *
 * Each key of the object is a tensor's name with {"dtype", "shape", "data_offsets": [begin, end)},
 * offsets relative to the end of the header; "__metadata__" is a map from string to string.
 */

/** The header of a safetensors file: what the file holds and where. */
record SafetensorsHeader(List<Entry> entries, Map<String, String> metadata, long dataStart) {

  static final String METADATA = "__metadata__";

  /** The limit of the format's first implementation. */
  static final long MAX_HEADER_BYTES = 100_000_000;

  private static final int LENGTH_BYTES = 8;
  private static final int MAX_DEPTH = 8;

  /** One tensor and where its values begin, counted from the end of the header. */
  record Entry(TensorSpec spec, long begin) {}

  /** Lays tensors out: wide types first, so that all are aligned, then by name. */
  static SafetensorsHeader layOut(List<TensorSpec> specs, Map<String, String> metadata) {
    Set<String> names = new HashSet<>();
    for (TensorSpec spec : specs) {
      if (!names.add(spec.name())) {
        throw new InvalidInputException(
            "two tensors have the name " + Text.quote(spec.name()) + ": names must be unique");
      }
    }
    metadata.forEach(
        (key, value) -> {
          if (!Text.isWellFormed(key) || !Text.isWellFormed(value)) {
            throw new InvalidInputException(
                "the metadata under key "
                    + Text.quote(key)
                    + " holds half of a surrogate pair, which UTF-8 cannot hold");
          }
        });
    List<TensorSpec> ordered = new ArrayList<>(specs);
    ordered.sort(
        Comparator.comparing((TensorSpec spec) -> -spec.type().bytes())
            .thenComparing(TensorSpec::name));
    List<Entry> entries = new ArrayList<>(ordered.size());
    long end = 0;
    for (TensorSpec spec : ordered) {
      entries.add(new Entry(spec, end));
      try {
        end = Math.addExact(end, spec.bytes());
      } catch (ArithmeticException e) {
        throw new InvalidInputException("the tensors together are larger than 2^63 bytes", e);
      }
    }
    return new SafetensorsHeader(
        List.copyOf(entries), Collections.unmodifiableMap(new TreeMap<>(metadata)), 0);
  }

  /** The bytes in front of the values, length included; the same header gives the same bytes. */
  ByteBuffer encode() throws IOException {
    StringWriter text = new StringWriter();
    JsonWriter json = new JsonWriter(text);
    json.beginObject();
    if (!metadata.isEmpty()) {
      json.name(METADATA).beginObject();
      for (Map.Entry<String, String> entry : metadata.entrySet()) {
        json.name(entry.getKey()).value(entry.getValue());
      }
      json.endObject();
    }
    for (Entry entry : entries) {
      TensorSpec spec = entry.spec();
      json.name(spec.name()).beginObject();
      json.name("dtype").value(spec.type().name());
      json.name("shape").beginArray();
      for (long d : spec.shape()) {
        json.value(d);
      }
      json.endArray();
      json.name("data_offsets").beginArray();
      json.value(entry.begin()).value(entry.begin() + spec.bytes()).endArray();
      json.endObject();
    }
    json.endObject();
    json.close();
    ByteBuffer utf8 = Text.encode(text.toString());
    int length = (utf8.remaining() + 7) / 8 * 8;
    if (length > MAX_HEADER_BYTES) {
      throw new InvalidInputException(
          "the header (names, shapes, metadata) takes %d bytes, more than the format's %d"
              .formatted(length, MAX_HEADER_BYTES));
    }
    ByteBuffer bytes =
        ByteBuffer.allocate(LENGTH_BYTES + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    bytes.put(utf8);
    while (bytes.hasRemaining()) {
      bytes.put((byte) ' ');
    }
    return bytes.flip();
  }

  /** Reads the header of a whole file and checks everything but the values. */
  static SafetensorsHeader read(SeekableByteChannel file, String where) throws IOException {
    long size = file.size();
    if (size < LENGTH_BYTES) {
      throw new InvalidInputException(
          "%s: has %d bytes, too few for a safetensors file: it is empty or cut short"
              .formatted(where, size));
    }
    long length = readAt(file, 0, LENGTH_BYTES, where).getLong();
    if (length < 2 || length > MAX_HEADER_BYTES) {
      throw new InvalidInputException(
          "%s: the header's length is given as %s bytes but must be 2 to %d: this is not a safetensors file, or it is damaged"
              .formatted(where, Long.toUnsignedString(length), MAX_HEADER_BYTES));
    }
    if (length > size - LENGTH_BYTES) {
      throw new InvalidInputException(
          "%s: the header's length is given as %d bytes but only %d follow: the file is cut short"
              .formatted(where, length, size - LENGTH_BYTES));
    }
    byte[] json = readAt(file, LENGTH_BYTES, (int) length, where).array();
    return parse(json, size - LENGTH_BYTES - length, where);
  }

  private static ByteBuffer readAt(SeekableByteChannel file, long at, int bytes, String where)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    file.position(at);
    while (buffer.hasRemaining()) {
      if (file.read(buffer) < 0) {
        throw new InvalidInputException(where + ": became shorter while it was read");
      }
    }
    return buffer.flip();
  }

  /**
   * Parses the JSON of a header and checks it against the number of bytes that follow it.
   *
   * @throws InvalidInputException for everything that is not exactly a right header
   */
  static SafetensorsHeader parse(byte[] json, long dataBytes, String where) {
    if (json.length == 0 || json[0] != '{') {
      throw new InvalidInputException(where + ": the header does not begin with '{'");
    }
    InputStreamReader text =
        new InputStreamReader(
            new ByteArrayInputStream(json),
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT));
    List<Entry> entries = new ArrayList<>();
    Map<String, String> metadata = new TreeMap<>();
    StrictJson.read(
        text,
        MAX_DEPTH,
        where,
        reader -> {
          Set<String> names = new HashSet<>();
          reader.beginObject();
          while (reader.hasNext()) {
            String name = reader.nextName();
            if (!names.add(name)) {
              throw new InvalidInputException(
                  where + ": tensor " + Text.quote(name) + " is there twice");
            }
            if (name.equals(METADATA)) {
              readMetadata(reader, metadata, where);
            } else {
              entries.add(readEntry(reader, name, where + ": tensor " + Text.quote(name)));
            }
          }
          reader.endObject();
          return true;
        });
    entries.sort(
        Comparator.comparingLong(Entry::begin)
            .thenComparingLong(entry -> entry.spec().bytes())
            .thenComparing(entry -> entry.spec().name()));
    long end = 0;
    for (Entry entry : entries) {
      if (entry.begin() != end) {
        throw new InvalidInputException(
            "%s: tensor %s begins at byte %d but the one before it ends at %d: offsets must neither overlap nor leave a gap"
                .formatted(where, Text.quote(entry.spec().name()), entry.begin(), end));
      }
      end += entry.spec().bytes();
    }
    if (end != dataBytes) {
      throw new InvalidInputException(
          "%s: the header describes %d bytes of values but the file has %d: it is %s"
              .formatted(where, end, dataBytes, end > dataBytes ? "cut short" : "too long"));
    }
    return new SafetensorsHeader(
        List.copyOf(entries),
        Collections.unmodifiableMap(metadata),
        LENGTH_BYTES + (long) json.length);
  }

  private static void readMetadata(JsonReader reader, Map<String, String> metadata, String where)
      throws IOException {
    String here = where + ": " + METADATA;
    if (reader.peek() != JsonToken.BEGIN_OBJECT) {
      throw new InvalidInputException(here + " must be an object of strings");
    }
    reader.beginObject();
    while (reader.hasNext()) {
      String key = reader.nextName();
      String value = StrictJson.string(reader, here);
      if (metadata.putIfAbsent(key, value) != null) {
        throw new InvalidInputException(here + ": key " + Text.quote(key) + " is there twice");
      }
      if (!Text.isWellFormed(key) || !Text.isWellFormed(value)) {
        throw new InvalidInputException(here + ": holds half of a surrogate pair");
      }
    }
    reader.endObject();
  }

  private static Entry readEntry(JsonReader reader, String name, String where) throws IOException {
    String dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    if (reader.peek() != JsonToken.BEGIN_OBJECT) {
      throw new InvalidInputException(where + ": expected an object but found " + reader.peek());
    }
    reader.beginObject();
    while (reader.hasNext()) {
      String field = reader.nextName();
      String here = where + ", " + Text.quote(field);
      boolean first;
      switch (field) {
        case "dtype" -> {
          first = dtype == null;
          dtype = StrictJson.string(reader, here);
        }
        case "shape" -> {
          first = shape == null;
          shape = readSizes(reader, here);
        }
        case "data_offsets" -> {
          first = offsets == null;
          offsets = readSizes(reader, here);
        }
        default ->
            throw new InvalidInputException(
                here + ": unknown field, expected dtype, shape and data_offsets");
      }
      if (!first) {
        throw new InvalidInputException(here + ": is there twice");
      }
    }
    reader.endObject();
    if (dtype == null || shape == null || offsets == null) {
      throw new InvalidInputException(where + ": needs dtype, shape and data_offsets");
    }
    TensorSpec spec;
    try {
      spec = new TensorSpec(name, TensorType.parse(dtype), shape);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(where + ": " + e.getMessage(), e);
    }
    if (offsets.size() != 2 || offsets.get(1) < offsets.get(0)) {
      throw new InvalidInputException(
          where + ": data_offsets must be [begin, end] with begin <= end but was " + offsets);
    }
    if (offsets.get(1) - offsets.get(0) != spec.bytes()) {
      throw new InvalidInputException(
          "%s: shape %s of %s needs %d bytes but data_offsets %s give %d"
              .formatted(
                  where,
                  spec.shape(),
                  spec.type(),
                  spec.bytes(),
                  offsets,
                  offsets.get(1) - offsets.get(0)));
    }
    return new Entry(spec, offsets.get(0));
  }

  private static List<Long> readSizes(JsonReader reader, String where) throws IOException {
    if (reader.peek() != JsonToken.BEGIN_ARRAY) {
      throw new InvalidInputException(where + ": expected an array but found " + reader.peek());
    }
    List<Long> sizes = new ArrayList<>();
    reader.beginArray();
    while (reader.hasNext()) {
      sizes.add(StrictJson.size(reader, where));
    }
    reader.endArray();
    return sizes;
  }
}
