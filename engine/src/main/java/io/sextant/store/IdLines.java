package io.sextant.store;

import io.sextant.InvalidInputException;
import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/*
 * A vocabulary is a UTF-8 text file with one JSON string per line, in the order of the dense
 * indices, each line ended by \n. JSON strings (and not bare lines) so that every Java string is
 * held exactly: line breaks, control characters, even half a surrogate pair are escaped.
 */

/** The file format of vocabularies. */
final class IdLines {

  private static final int FLUSH_CHARS = 1 << 16;

  private IdLines() {}

  /** Writes ids, which must be unique and not empty, and counts them. */
  static long write(Iterable<String> ids, String what, WritableByteChannel out) throws IOException {
    Set<String> seen = new HashSet<>();
    StringBuilder text = new StringBuilder();
    long count = 0;
    for (String id : ids) {
      if (id.isEmpty()) {
        throw new InvalidInputException(
            "%s id number %d (from 0) is empty: ids need at least one character"
                .formatted(what, count));
      }
      if (!seen.add(id)) {
        throw new InvalidInputException(
            "%s id %s is there twice, the second time as number %d (from 0): ids must be unique"
                .formatted(what, Text.quote(id), count));
      }
      appendLine(text, id);
      count++;
      if (text.length() >= FLUSH_CHARS) {
        flush(text, out);
      }
    }
    flush(text, out);
    return count;
  }

  private static void flush(StringBuilder text, WritableByteChannel out) throws IOException {
    AtomicFiles.writeFully(out, ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
    text.setLength(0);
  }

  private static void appendLine(StringBuilder text, String id) {
    text.append('"');
    for (int i = 0; i < id.length(); i++) {
      char c = id.charAt(i);
      if (c == '"' || c == '\\') {
        text.append('\\').append(c);
      } else if (Character.isHighSurrogate(c)
          && i + 1 < id.length()
          && Character.isLowSurrogate(id.charAt(i + 1))) {
        text.append(c).append(id.charAt(++i));
      } else if (Character.isISOControl(c)
          || Character.isSurrogate(c)
          || c == '\u2028'
          || c == '\u2029') {
        text.append(String.format("\\u%04x", (int) c));
      } else {
        text.append(c);
      }
    }
    text.append("\"\n");
  }

  /** Reads a whole file; the list cannot be modified. */
  static List<String> read(FileChannel file, String where) throws IOException {
    file.position(0);
    Reader reader =
        Channels.newReader(
            file,
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT),
            1 << 16);
    return read(reader, where);
  }

  static List<String> read(Reader reader, String where) throws IOException {
    return new Parser(reader, where).lines();
  }

  /** Reads line after line. */
  private static final class Parser {

    private final Reader reader;
    private final String where;
    private final char[] buffer = new char[1 << 14];
    private int at;
    private int end;
    private long line = 1;

    Parser(Reader reader, String where) {
      this.reader = reader;
      this.where = where;
    }

    List<String> lines() throws IOException {
      List<String> ids = new ArrayList<>();
      Set<String> seen = new HashSet<>();
      StringBuilder text = new StringBuilder();
      for (int c = next(); c >= 0; c = next()) {
        if (c != '"') {
          throw refused("must begin with a quotation mark");
        }
        text.setLength(0);
        for (c = next(); c != '"'; c = next()) {
          if (c < ' ') {
            throw refused(c < 0 ? "is cut short" : "holds a control character");
          }
          text.append(c == '\\' ? escaped() : (char) c);
        }
        if (next() != '\n') {
          throw refused("must end behind the closing quotation mark");
        }
        String id = text.toString();
        if (id.isEmpty()) {
          throw refused("holds an empty id");
        }
        if (!seen.add(id)) {
          throw refused("repeats the id " + Text.quote(id));
        }
        ids.add(id);
        line++;
      }
      return Collections.unmodifiableList(ids);
    }

    private char escaped() throws IOException {
      int c = next();
      return switch (c) {
        case '"', '\\', '/' -> (char) c;
        case 'b' -> '\b';
        case 'f' -> '\f';
        case 'n' -> '\n';
        case 'r' -> '\r';
        case 't' -> '\t';
        case 'u' -> {
          int value = 0;
          for (int i = 0; i < 4; i++) {
            int digit = next();
            // Character.digit alone would take the digits of every script.
            int hex = digit < 0 || digit > 'f' ? -1 : Character.digit(digit, 16);
            if (hex < 0) {
              throw refused("has an escape \\u without four hexadecimal digits");
            }
            value = value * 16 + hex;
          }
          yield (char) value;
        }
        default -> throw refused("has an escape that JSON does not know");
      };
    }

    private int next() throws IOException {
      if (at == end) {
        try {
          end = Math.max(0, reader.read(buffer));
        } catch (CharacterCodingException e) {
          throw new InvalidInputException(
              where + ": is not UTF-8 text at or behind line " + line, e);
        }
        at = 0;
        if (end == 0) {
          return -1;
        }
      }
      return buffer[at++];
    }

    private InvalidInputException refused(String problem) {
      return new InvalidInputException(
          "%s: line %d %s: each line is one id as a JSON string".formatted(where, line, problem));
    }
  }
}
