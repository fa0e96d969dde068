package io.sextant.nativeconfig;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a library offers to others and takes from them, by name and version.
 *
 * @param defined what it offers
 * @param undefined what it takes
 */
record ElfSymbols(Set<Symbol> defined, Set<Symbol> undefined) {

  /** A name, with the version that it is bound to, or an empty one. */
  record Symbol(String name, String version) implements Comparable<Symbol> {
    @Override
    public int compareTo(Symbol other) {
      int names = name.compareTo(other.name);
      return names != 0 ? names : version.compareTo(other.version);
    }
  }

  private static final int ENTRY = 24;
  private static final int LOCAL = 0;

  static ElfSymbols read(Path path) throws IOException {
    ElfFile elf = ElfFile.read(path);
    try (FileChannel channel = FileChannel.open(path)) {
      Optional<ElfFile.Section> table = elf.section(".dynsym");
      if (table.isEmpty()) {
        return new ElfSymbols(Set.of(), Set.of());
      }
      ByteBuffer symbols = bytes(channel, table.get());
      ByteBuffer names = bytes(channel, elf.sections().get(table.get().link()));
      Map<Integer, String> versions = versions(elf, channel);
      Optional<ElfFile.Section> versionTable = elf.section(".gnu.version");
      ByteBuffer version = versionTable.isPresent() ? bytes(channel, versionTable.get()) : null;
      Set<Symbol> defined = new TreeSet<>();
      Set<Symbol> undefined = new TreeSet<>();
      for (int i = 1; i < symbols.limit() / ENTRY; i++) {
        int at = i * ENTRY;
        // The highest bit says that it is not the default version.
        int index = version == null ? 1 : version.getShort(2 * i) & 0x7fff;
        if ((symbols.get(at + 4) & 0xff) >> 4 != LOCAL) {
          String name = ElfFile.string(names, symbols.getInt(at));
          Symbol symbol = new Symbol(name, versions.getOrDefault(index, ""));
          (symbols.getShort(at + 6) == 0 ? undefined : defined).add(symbol);
        }
      }
      return new ElfSymbols(defined, undefined);
    } catch (EOFException | IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new NativeConfigException("the symbols of " + path + " are damaged", e);
    }
  }

  private static ByteBuffer bytes(FileChannel channel, ElfFile.Section section) throws IOException {
    return ElfFile.bytes(channel, section.offset(), section.size());
  }

  /** Names of versions by their index: those that the library defines, and those that it needs. */
  private static Map<Integer, String> versions(ElfFile elf, FileChannel channel)
      throws IOException {
    Map<Integer, String> versions = new HashMap<>();
    Optional<ElfFile.Section> definitions = elf.section(".gnu.version_d");
    if (definitions.isPresent()) {
      ByteBuffer table = bytes(channel, definitions.get());
      ByteBuffer names = bytes(channel, elf.sections().get(definitions.get().link()));
      int at = 0;
      int next;
      do {
        boolean base = (table.getShort(at + 2) & 1) != 0;
        if (!base) {
          int first = at + table.getInt(at + 12);
          versions.put((int) table.getShort(at + 4), ElfFile.string(names, table.getInt(first)));
        }
        next = table.getInt(at + 16);
        at += next;
      } while (next != 0);
    }
    Optional<ElfFile.Section> needs = elf.section(".gnu.version_r");
    if (needs.isPresent()) {
      ByteBuffer table = bytes(channel, needs.get());
      ByteBuffer names = bytes(channel, elf.sections().get(needs.get().link()));
      int file = 0;
      int nextFile;
      do {
        int count = table.getShort(file + 2);
        int at = file + table.getInt(file + 8);
        for (int i = 0; i < count; i++) {
          versions.put(
              table.getShort(at + 6) & 0x7fff, ElfFile.string(names, table.getInt(at + 8)));
          at += table.getInt(at + 12);
        }
        nextFile = table.getInt(file + 12);
        file += nextFile;
      } while (nextFile != 0);
    }
    return versions;
  }
}
