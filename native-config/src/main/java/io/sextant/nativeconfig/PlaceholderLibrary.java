package io.sextant.nativeconfig;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;

/**
 * A tiny shared library for Linux on x86-64 that stands in for a large one of which nothing is
 * called: it has its name and exports, with the same versions, the functions that others bind to. A
 * call says on standard error which function of which library is missing and returns 1, which all
 * of CUDA's libraries and PyTorch's checks take for an error; functions that give a text (names
 * ending in {@code String} or {@code Name}) return the message, and {@code ...GetVersion} returns
 * 0. Nothing of the real library is copied.
 *
 * <p>Form: System V ABI (gabi 4.1), AMD64 supplement, and GNU symbol versions as the Linux Standard
 * Base describes them.
 */
final class PlaceholderLibrary {

  private static final int PAGE = 0x1000;
  private static final int HEADER = 64;
  private static final int SEGMENTS = 5;
  private static final int SEGMENT = 56;
  private static final int SYMBOL = 24;

  /** mov edi, 2 (standard error); mov eax, 1 (write); syscall; mov eax, 1; ret. */
  private static final byte[] WRITE_AND_FAIL = {
    (byte) 0xbf,
    2,
    0,
    0,
    0,
    (byte) 0xb8,
    1,
    0,
    0,
    0,
    0x0f,
    0x05,
    (byte) 0xb8,
    1,
    0,
    0,
    0,
    (byte) 0xc3
  };

  private final String soname;
  private final List<ElfSymbols.Symbol> functions;
  private final Strings strings = new Strings();

  private PlaceholderLibrary(String soname, SortedSet<ElfSymbols.Symbol> functions) {
    this.soname = soname;
    this.functions = List.copyOf(functions);
  }

  /** The bytes of the library. */
  static byte[] of(String soname, SortedSet<ElfSymbols.Symbol> functions) {
    return new PlaceholderLibrary(soname, functions).bytes();
  }

  /** A table of zero-terminated texts. */
  private static final class Strings {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Map<String, Integer> offsets = new LinkedHashMap<>();

    Strings() {
      add("");
    }

    int add(String text) {
      Integer known = offsets.get(text);
      if (known != null) {
        return known;
      }
      int offset = bytes.size();
      bytes.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
      bytes.write(0);
      offsets.put(text, offset);
      return offset;
    }
  }

  private record Piece(String name, int type, int flags, int offset, byte[] bytes, int entry) {
    int end() {
      return offset + bytes.length;
    }
  }

  private byte[] bytes() {
    List<String> versions =
        functions.stream()
            .map(ElfSymbols.Symbol::version)
            .distinct()
            .filter(v -> !v.isEmpty())
            .toList();
    int sonameAt = strings.add(soname);
    functions.forEach(f -> strings.add(f.name()));
    versions.forEach(strings::add);
    Strings messages = new Strings();
    functions.forEach(f -> messages.add(message(f.name())));

    // Read-only pieces, then code, then the dynamic table, each group on pages of its own.
    int at = HEADER + SEGMENTS * SEGMENT;
    Piece hash = new Piece(".hash", 5, 2, align(at, 8), hashTable(), 4);
    Piece names = new Piece(".dynstr", 3, 2, hash.end(), strings.bytes.toByteArray(), 0);
    Piece texts = new Piece(".rodata", 1, 2, names.end(), messages.bytes.toByteArray(), 0);
    Piece indices =
        new Piece(
            ".gnu.version", 0x6fffffff, 2, align(texts.end(), 8), versionIndices(versions), 2);
    Piece definitions =
        new Piece(
            ".gnu.version_d", 0x6ffffffd, 2, align(indices.end(), 8), definitions(versions), 0);
    int tableAt = align(definitions.end(), 8);
    int codeAt = align(tableAt + SYMBOL * (functions.size() + 1), PAGE);
    int[] starts = new int[functions.size()];
    Piece code = new Piece(".text", 1, 6, codeAt, code(codeAt, texts.offset, messages, starts), 0);
    Piece table = new Piece(".dynsym", 11, 2, tableAt, symbolTable(starts), SYMBOL);
    int dynamicAt = align(code.end(), PAGE);
    List<long[]> tags = new ArrayList<>();
    tags.add(new long[] {14, sonameAt});
    tags.add(new long[] {4, hash.offset});
    tags.add(new long[] {5, names.offset});
    tags.add(new long[] {6, table.offset});
    tags.add(new long[] {10, names.bytes.length});
    tags.add(new long[] {11, SYMBOL});
    if (!versions.isEmpty()) {
      tags.add(new long[] {0x6ffffff0L, indices.offset});
      tags.add(new long[] {0x6ffffffcL, definitions.offset});
      tags.add(new long[] {0x6ffffffdL, versions.size() + 1L});
    }
    tags.add(new long[] {0, 0});
    ByteBuffer dynamic = buffer(16 * tags.size());
    tags.forEach(t -> dynamic.putLong(t[0]).putLong(t[1]));
    Piece tagged = new Piece(".dynamic", 6, 3, dynamicAt, dynamic.array(), 16);

    // In this order: the number of a section is its place here plus one.
    List<Piece> pieces = List.of(table, names, code, hash, indices, definitions, tagged, texts);
    return file(pieces, table.end(), code, tagged);
  }

  private String message(String function) {
    return "%s: a placeholder of this bundle, without %s; make the bundle with --no-stubs\n"
        .formatted(soname, function);
  }

  private byte[] hashTable() {
    int count = functions.size() + 1;
    int buckets = Math.max(1, functions.size());
    int[] first = new int[buckets];
    int[] next = new int[count];
    for (int i = 1; i < count; i++) {
      int bucket = Integer.remainderUnsigned(hash(functions.get(i - 1).name()), buckets);
      next[i] = first[bucket];
      first[bucket] = i;
    }
    ByteBuffer b = buffer(4 * (2 + buckets + count)).putInt(buckets).putInt(count);
    for (int f : first) {
      b.putInt(f);
    }
    for (int n : next) {
      b.putInt(n);
    }
    return b.array();
  }

  /** The ABI's hash of a name. */
  static int hash(String name) {
    int h = 0;
    for (int i = 0; i < name.length(); i++) {
      h = (h << 4) + name.charAt(i);
      int high = h & 0xf0000000;
      h = (h ^ high >>> 24) & ~high;
    }
    return h;
  }

  private byte[] versionIndices(List<String> versions) {
    ByteBuffer b = buffer(2 * (functions.size() + 1)).putShort((short) 0);
    for (ElfSymbols.Symbol f : functions) {
      // 1 is the library itself; the versions follow.
      b.putShort((short) (f.version().isEmpty() ? 1 : 2 + versions.indexOf(f.version())));
    }
    return b.array();
  }

  private byte[] definitions(List<String> versions) {
    ByteBuffer b = buffer(28 * (versions.size() + 1));
    for (int i = 0; i <= versions.size(); i++) {
      String name = i == 0 ? soname : versions.get(i - 1);
      b.putShort((short) 1).putShort((short) (i == 0 ? 1 : 0)).putShort((short) (i + 1));
      b.putShort((short) 1).putInt(hash(name)).putInt(20).putInt(i < versions.size() ? 28 : 0);
      b.putInt(strings.add(name)).putInt(0);
    }
    return b.array();
  }

  private byte[] code(int codeAt, int textsAt, Strings messages, int[] starts) {
    ByteBuffer b = buffer(WRITE_AND_FAIL.length + 32 * functions.size());
    b.put(WRITE_AND_FAIL);
    for (int i = 0; i < functions.size(); i++) {
      String name = functions.get(i).name();
      String message = message(name);
      int text = textsAt + messages.add(message);
      starts[i] = codeAt + b.position();
      if (name.endsWith("GetVersion")) {
        // xor eax, eax; ret
        b.put(new byte[] {0x31, (byte) 0xc0, (byte) 0xc3});
      } else if (name.endsWith("String") || name.endsWith("Name")) {
        // lea rax, [rip + text]; ret
        b.put(new byte[] {0x48, (byte) 0x8d, 0x05}).putInt(text - (starts[i] + 7));
        b.put((byte) 0xc3);
      } else {
        // lea rsi, [rip + text]; mov edx, length; jmp to the common end
        b.put(new byte[] {0x48, (byte) 0x8d, 0x35}).putInt(text - (starts[i] + 7));
        b.put((byte) 0xba).putInt(message.length());
        b.put((byte) 0xe9).putInt(codeAt - (starts[i] + 17));
      }
    }
    byte[] bytes = new byte[b.position()];
    b.get(0, bytes);
    return bytes;
  }

  private byte[] symbolTable(int[] starts) {
    ByteBuffer b = buffer(SYMBOL * (functions.size() + 1));
    b.position(SYMBOL);
    for (int i = 0; i < functions.size(); i++) {
      // A global function in section 3, the code.
      b.putInt(strings.add(functions.get(i).name())).put((byte) 0x12).put((byte) 0);
      b.putShort((short) 3).putLong(starts[i]).putLong(1);
    }
    return b.array();
  }

  private static byte[] file(List<Piece> pieces, int readOnlyEnd, Piece code, Piece dynamic) {
    Strings names = new Strings();
    pieces.forEach(p -> names.add(p.name));
    int namesName = names.add(".shstrtab");
    byte[] nameBytes = names.bytes.toByteArray();
    int sectionsAt = align(dynamic.end() + nameBytes.length, 8);
    int sections = pieces.size() + 2;
    ByteBuffer b = buffer(sectionsAt + 64 * sections);
    b.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    b.putShort((short) 3).putShort((short) 62).putInt(1);
    b.putLong(0).putLong(HEADER).putLong(sectionsAt).putInt(0);
    b.putShort((short) HEADER).putShort((short) SEGMENT).putShort((short) SEGMENTS);
    b.putShort((short) 64).putShort((short) sections).putShort((short) (sections - 1));
    segment(b, 1, 4, 0, readOnlyEnd, PAGE);
    segment(b, 1, 5, code.offset, code.bytes.length, PAGE);
    segment(b, 1, 6, dynamic.offset, dynamic.bytes.length, PAGE);
    segment(b, 2, 6, dynamic.offset, dynamic.bytes.length, 8);
    // PT_GNU_STACK: the stack need not be executable.
    segment(b, 0x6474e551, 6, 0, 0, 16);
    for (Piece piece : pieces) {
      b.put(piece.offset, piece.bytes);
    }
    b.put(dynamic.end(), nameBytes);
    b.position(sectionsAt + 64);
    for (Piece p : pieces) {
      b.putInt(names.add(p.name)).putInt(p.type).putLong(p.flags);
      b.putLong(p.offset).putLong(p.offset).putLong(p.bytes.length);
      boolean hash = p.name.equals(".hash") || p.name.equals(".gnu.version");
      boolean named =
          p.name.equals(".dynsym") || p.name.equals(".gnu.version_d") || p.name.equals(".dynamic");
      b.putInt(hash ? 1 : named ? 2 : 0);
      b.putInt(info(p)).putLong(8).putLong(p.entry);
    }
    b.putInt(namesName).putInt(3).putLong(0).putLong(0);
    b.putLong(dynamic.end()).putLong(nameBytes.length).putInt(0).putInt(0).putLong(1).putLong(0);
    return b.array();
  }

  /** How many versions there are; for the symbols, the first that is global. */
  private static int info(Piece piece) {
    return switch (piece.name) {
      case ".dynsym" -> 1;
      case ".gnu.version_d" -> piece.bytes.length / 28;
      default -> 0;
    };
  }

  private static void segment(ByteBuffer b, int type, int flags, int at, int size, int align) {
    b.putInt(type).putInt(flags).putLong(at).putLong(at).putLong(at);
    b.putLong(size).putLong(size).putLong(align);
  }

  private static int align(int value, int to) {
    return (value + to - 1) / to * to;
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
