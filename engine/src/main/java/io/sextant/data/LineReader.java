package io.sextant.data;

import io.sextant.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * Lines of a text file, plain or compressed by gzip, decoded strictly and of bounded length: a line
 * that is too long is refused after its first {@code maxLineBytes} bytes.
 */
final class LineReader implements Closeable {

  private final InputStream in;
  private final String name;
  private final Charset charset;
  private final int maxLineBytes;
  private final byte[] buffer = new byte[1 << 16];
  private final ByteArrayOutputStream longLine = new ByteArrayOutputStream(0);
  private int position;
  private int limit;
  private long line;

  LineReader(InputStream in, String name, Charset charset, int maxLineBytes) {
    this.name = name;
    this.charset = charset;
    this.maxLineBytes = maxLineBytes;
    this.in = unzipped(in, name);
  }

  static LineReader open(Path file, Charset charset, int maxLineBytes) {
    checkReadable(file);
    InputStream in;
    try {
      in = Files.newInputStream(file);
    } catch (IOException e) {
      throw unreadable(file.toString(), e);
    }
    try {
      return new LineReader(in, file.toString(), charset, maxLineBytes);
    } catch (RuntimeException e) {
      try {
        in.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  static void checkReadable(Path file) {
    if (Files.isDirectory(file)) {
      throw new InvalidInputException(file + " is a directory: name a file in it");
    }
    if (!Files.exists(file)) {
      throw new InvalidInputException(file + " does not exist: check the path");
    }
    if (!Files.isReadable(file)) {
      throw new InvalidInputException(file + " may not be read: check its permissions");
    }
  }

  /** What messages call the file. */
  String name() {
    return name;
  }

  /** The number of the line that was returned last, from 1. */
  long lineNumber() {
    return line;
  }

  /** The file and the line that was returned last. */
  String where() {
    return name + ", line " + line;
  }

  /** The next line without its end, or null behind the last one. */
  @Nullable String next() {
    longLine.reset();
    while (true) {
      if (position == limit && !fill()) {
        if (longLine.size() == 0) {
          return null;
        }
        line++;
        byte[] bytes = longLine.toByteArray();
        return decode(bytes, 0, bytes.length);
      }
      int end = position;
      while (end < limit && buffer[end] != '\n') {
        end++;
      }
      if ((long) longLine.size() + end - position > maxLineBytes) {
        throw new InvalidInputException(
            ("%s, line %d is longer than %d bytes: the file has no line breaks, is not text,"
                    + " or has an unclosed quote; raise the limit if the line is right")
                .formatted(name, line + 1, maxLineBytes));
      }
      if (end == limit) {
        longLine.write(buffer, position, end - position);
        position = end;
        continue;
      }
      line++;
      String text;
      if (longLine.size() == 0) {
        text = decode(buffer, position, end);
      } else {
        longLine.write(buffer, position, end - position);
        byte[] bytes = longLine.toByteArray();
        text = decode(bytes, 0, bytes.length);
      }
      position = end + 1;
      return text;
    }
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw unreadable(name, e);
    }
  }

  private boolean fill() {
    try {
      int count;
      do {
        count = in.read(buffer, 0, buffer.length);
      } while (count == 0);
      position = 0;
      limit = Math.max(0, count);
      return count > 0;
    } catch (EOFException e) {
      throw new InvalidInputException(
          "%s is cut off: its compressed data ends after line %d; fetch it again"
              .formatted(name, line),
          e);
    } catch (ZipException e) {
      throw new InvalidInputException(
          "%s is damaged: its compressed data is wrong after line %d (%s); fetch it again"
              .formatted(name, line, e.getMessage()),
          e);
    } catch (IOException e) {
      throw new InvalidInputException(
          "%s cannot be read after line %d: %s".formatted(name, line, e), e);
    }
  }

  private String decode(byte[] bytes, int from, int end) {
    int to = end > from && bytes[end - 1] == '\r' ? end - 1 : end;
    int start = from;
    if (line == 1) {
      start = checkMark(bytes, from, to);
    }
    boolean ascii = true;
    for (int i = start; i < to && ascii; i++) {
      ascii = bytes[i] >= 0;
    }
    if (ascii) {
      String text = new String(bytes, start, to - start, StandardCharsets.ISO_8859_1);
      if (line == 1 && text.indexOf('\0') >= 0) {
        throw new InvalidInputException(
            ("%s, line 1 holds a NUL byte: the file is not text, or is UTF-16; if it is, convert"
                    + " it with iconv -f UTF-16LE -t UTF-8")
                .formatted(name));
      }
      return text;
    }
    try {
      return charset
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes, start, to - start))
          .toString();
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(
          ("%s is not %s. Convert it, for example with"
                  + " iconv -f ISO-8859-1 -t UTF-8, or say which charset it has")
              .formatted(where(), charset),
          e);
    }
  }

  private int checkMark(byte[] bytes, int from, int to) {
    if (to - from >= 3
        && bytes[from] == (byte) 0xEF
        && bytes[from + 1] == (byte) 0xBB
        && bytes[from + 2] == (byte) 0xBF) {
      return from + 3;
    }
    if (to - from >= 2
        && ((bytes[from] == (byte) 0xFF && bytes[from + 1] == (byte) 0xFE)
            || (bytes[from] == (byte) 0xFE && bytes[from + 1] == (byte) 0xFF))) {
      throw new InvalidInputException(
          name + " is UTF-16: convert it, for example with iconv -f UTF-16 -t UTF-8");
    }
    return from;
  }

  // By content, not by name: a .gz that was unpacked under way is read all the same.
  private static InputStream unzipped(InputStream in, String name) {
    try {
      PushbackInputStream start = new PushbackInputStream(in, 2);
      byte[] magic = start.readNBytes(2);
      start.unread(magic);
      boolean gzip = magic.length == 2 && magic[0] == (byte) 0x1F && magic[1] == (byte) 0x8B;
      return gzip ? new GZIPInputStream(start, 1 << 16) : start;
    } catch (EOFException e) {
      throw new InvalidInputException(
          name + " is cut off within the head of its compressed data; fetch it again", e);
    } catch (IOException e) {
      throw unreadable(name, e);
    }
  }

  private static InvalidInputException unreadable(String name, IOException e) {
    if (e instanceof NoSuchFileException) {
      return new InvalidInputException(name + " does not exist: check the path", e);
    }
    if (e instanceof AccessDeniedException) {
      return new InvalidInputException(name + " may not be read: check its permissions", e);
    }
    return new InvalidInputException(name + " cannot be read: " + e.getMessage(), e);
  }
}
