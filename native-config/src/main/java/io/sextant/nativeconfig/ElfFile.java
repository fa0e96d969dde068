package io.sextant.nativeconfig;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What has to be known of a shared library to carry it to another machine: its sections and the
 * libraries that it needs. 64-bit little-endian ELF (System V ABI), which is what Linux has on
 * x86-64 and AArch64.
 *
 * @param path the file
 * @param sections its sections, in the order of the file
 * @param needed the names of the libraries that the loader loads with it
 * @param soname the name by which others need it; empty if it has none
 * @param runPath where the loader looks for what it needs; empty if nowhere in particular
 */
record ElfFile(
    Path path, List<Section> sections, List<String> needed, String soname, String runPath) {

  /** A range of the file. */
  record Section(String name, int type, long offset, long size, int link) {}

  private static final int MAGIC = 0x464c457f;
  private static final int SECTION_HEADER = 64;
  private static final int DT_NEEDED = 1;
  private static final int DT_SONAME = 14;
  private static final int DT_RPATH = 15;
  private static final int DT_RUNPATH = 29;

  ElfFile {
    sections = List.copyOf(sections);
    needed = List.copyOf(needed);
  }

  /**
   * Reads a library's headers.
   *
   * @throws NativeConfigException if it is none, or damaged
   */
  static ElfFile read(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      return read(path, channel);
    } catch (EOFException | IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new NativeConfigException(path + " is no whole 64-bit ELF library", e);
    }
  }

  private static ElfFile read(Path path, FileChannel channel) throws IOException {
    ByteBuffer head = bytes(channel, 0, 64);
    if (head.getInt(0) != MAGIC || head.get(4) != 2 || head.get(5) != 1) {
      throw new IllegalArgumentException("magic");
    }
    int count = Short.toUnsignedInt(head.getShort(60));
    int names = Short.toUnsignedInt(head.getShort(62));
    ByteBuffer table = bytes(channel, head.getLong(40), (long) count * SECTION_HEADER);
    ByteBuffer strings =
        bytes(
            channel,
            table.getLong(names * SECTION_HEADER + 24),
            table.getLong(names * SECTION_HEADER + 32));
    List<Section> sections = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = i * SECTION_HEADER;
      sections.add(
          new Section(
              string(strings, table.getInt(at)),
              table.getInt(at + 4),
              table.getLong(at + 24),
              table.getLong(at + 32),
              table.getInt(at + 40)));
    }
    List<String> needed = new ArrayList<>();
    String soname = "";
    String runPath = "";
    for (Section section : sections) {
      if (section.name.equals(".dynamic")) {
        ByteBuffer dynamic = bytes(channel, section.offset, section.size);
        Section text = sections.get(section.link);
        ByteBuffer values = bytes(channel, text.offset, text.size);
        for (int at = 0; at + 16 <= dynamic.limit(); at += 16) {
          long tag = dynamic.getLong(at);
          int value = (int) dynamic.getLong(at + 8);
          if (tag == DT_NEEDED) {
            needed.add(string(values, value));
          } else if (tag == DT_SONAME) {
            soname = string(values, value);
          } else if (tag == DT_RPATH || tag == DT_RUNPATH) {
            runPath = string(values, value);
          }
        }
      }
    }
    return new ElfFile(path, sections, needed, soname, runPath);
  }

  Optional<Section> section(String name) {
    return sections.stream().filter(s -> s.name.equals(name)).findFirst();
  }

  /** Whether a file begins as an ELF library does. */
  static boolean is(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      return channel.size() >= 64 && bytes(channel, 0, 64).getInt(0) == MAGIC;
    }
  }

  static ByteBuffer bytes(FileChannel channel, long offset, long size) throws IOException {
    if (offset < 0 || size < 0 || size > channel.size() - offset) {
      throw new EOFException();
    }
    ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        throw new EOFException();
      }
    }
    return buffer.flip();
  }

  static String string(ByteBuffer table, int offset) {
    int end = offset;
    while (table.get(end) != 0) {
      end++;
    }
    byte[] text = new byte[end - offset];
    table.get(offset, text);
    return new String(text, StandardCharsets.ISO_8859_1);
  }
}
