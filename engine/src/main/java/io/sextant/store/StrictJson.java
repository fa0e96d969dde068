package io.sextant.store;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.sextant.InvalidInputException;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.util.HashSet;
import java.util.Set;

/**
 * JSON as RFC 8259 has it: Gson by itself lets comments, single quotes and duplicate keys through.
 */
final class StrictJson {

  private StrictJson() {}

  /** Code that walks a reader. */
  @FunctionalInterface
  interface Walk<T> {
    T walk(JsonReader reader) throws IOException;
  }

  /** Runs a walk over one whole document; every way to fail ends in InvalidInputException. */
  static <T> T read(Reader text, int maxDepth, String where, Walk<T> walk) {
    JsonReader reader = new JsonReader(text);
    reader.setStrictness(Strictness.STRICT);
    reader.setNestingLimit(maxDepth);
    try {
      T result = walk.walk(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new InvalidInputException(where + ": there is more text behind the end of the JSON");
      }
      return result;
    } catch (IOException
        | IllegalStateException
        | NumberFormatException
        | JsonParseException
        | StackOverflowError e) {
      throw new InvalidInputException(where + ": is not valid JSON: " + reason(e), e);
    }
  }

  /** An object without duplicate keys at any depth. */
  static JsonObject object(String text, int maxDepth, String where) {
    read(
        new StringReader(text),
        maxDepth,
        where,
        reader -> {
          checkKeys(reader, where);
          return true;
        });
    JsonElement element =
        read(new StringReader(text), maxDepth, where, reader -> JsonParser.parseReader(reader));
    if (!element.isJsonObject()) {
      throw new InvalidInputException(where + ": expected a JSON object, {...}");
    }
    return element.getAsJsonObject();
  }

  private static void checkKeys(JsonReader reader, String where) throws IOException {
    switch (reader.peek()) {
      case BEGIN_OBJECT -> {
        Set<String> keys = new HashSet<>();
        reader.beginObject();
        while (reader.hasNext()) {
          String key = reader.nextName();
          if (!keys.add(key)) {
            throw new InvalidInputException(
                where + ": key " + Text.quote(key) + " is there twice in one object");
          }
          checkKeys(reader, where);
        }
        reader.endObject();
      }
      case BEGIN_ARRAY -> {
        reader.beginArray();
        while (reader.hasNext()) {
          checkKeys(reader, where);
        }
        reader.endArray();
      }
      default -> reader.skipValue();
    }
  }

  /** The next value, which must be a string. */
  static String string(JsonReader reader, String where) throws IOException {
    if (reader.peek() != JsonToken.STRING) {
      throw new InvalidInputException(where + ": expected a string but found " + reader.peek());
    }
    return reader.nextString();
  }

  /** The next value, which must be a whole number from 0 to 2^63-1, written as one. */
  static long size(JsonReader reader, String where) throws IOException {
    if (reader.peek() != JsonToken.NUMBER) {
      throw new InvalidInputException(
          where + ": expected a whole number but found " + reader.peek());
    }
    return size(reader.nextString(), where);
  }

  /** A whole number from 0 to 2^63-1, written as one: no sign, fraction, exponent. */
  static long size(String number, String where) {
    try {
      if (!number.isEmpty() && number.chars().allMatch(c -> c >= '0' && c <= '9')) {
        return Long.parseLong(number);
      }
    } catch (NumberFormatException e) {
      // Too large: told below like all else.
    }
    throw new InvalidInputException(
        where + ": expected a whole number from 0 to 2^63-1 but found " + Text.quote(number));
  }

  private static String reason(Throwable e) {
    String message = String.valueOf(e.getMessage());
    // Gson appends a link for programmers on a second line.
    int end = message.indexOf('\n');
    return end < 0 ? message : message.substring(0, end);
  }
}
