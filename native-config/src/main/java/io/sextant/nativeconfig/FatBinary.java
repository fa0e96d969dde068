package io.sextant.nativeconfig;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * GPU code in a library. The section {@code .nv_fatbin} is a row of containers, each with an entry
 * per architecture: its header tells the kind (1 = PTX, 2 = machine code), the size of the payload
 * and the architecture. Zeroing the payloads of other architectures changes no header, size or
 * offset, so the CUDA loader still walks the row and finds the entry that fits the device; what is
 * zeroed compresses to nothing. Machine code runs on devices of the same major version only.
 *
 * <p>Only for libraries whose licence allows modification (PyTorch's).
 */
final class FatBinary {

  private static final int MAGIC = 0xBA55ED50;
  private static final int CONTAINER_HEADER = 16;
  private static final int ENTRY_HEADER = 32;
  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(1 << 20);

  private FatBinary() {}

  private record Range(long offset, long size) {}

  /**
   * Zeroes the code of every architecture but one, in place.
   *
   * @param architecture the one to keep: 90 of sm_90
   * @return how many bytes were zeroed
   * @throws NativeConfigException if the library holds none of it (the message says which it holds)
   *     or its section cannot be understood; it is unchanged then
   */
  static long keepOnly(Path library, int architecture) throws IOException {
    ElfFile.Section section =
        ElfFile.read(library)
            .section(".nv_fatbin")
            .orElseThrow(() -> new NativeConfigException(library + " holds no GPU code"));
    try (FileChannel channel =
        FileChannel.open(library, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Set<Integer> present = new TreeSet<>();
      List<Range> others = new ArrayList<>();
      long end = section.offset() + section.size();
      long at = section.offset();
      while (at + CONTAINER_HEADER <= end) {
        ByteBuffer head = ElfFile.bytes(channel, at, CONTAINER_HEADER);
        if (head.getInt(0) != MAGIC) {
          at += Long.BYTES;
          continue;
        }
        long entry = at + Short.toUnsignedInt(head.getShort(6));
        long stop = entry + head.getLong(8);
        check(stop > entry - 1 && stop <= end, library);
        while (entry < stop) {
          check(entry + ENTRY_HEADER <= stop, library);
          ByteBuffer fields = ElfFile.bytes(channel, entry, ENTRY_HEADER);
          long header = Integer.toUnsignedLong(fields.getInt(4));
          long payload = fields.getLong(8);
          check(
              header >= ENTRY_HEADER && payload >= 0 && payload <= stop - entry - header, library);
          present.add(fields.getInt(28));
          if (fields.getInt(28) != architecture) {
            others.add(new Range(entry + header, payload));
          }
          entry += header + payload;
        }
        at = stop;
      }
      if (!present.contains(architecture)) {
        throw new NativeConfigException(
            "%s holds no code for sm_%d but for %s"
                .formatted(
                    library.getFileName(),
                    architecture,
                    present.stream().map(a -> "sm_" + a).toList()));
      }
      for (Range range : others) {
        zero(channel, range.offset, range.size);
      }
      return others.stream().mapToLong(Range::size).sum();
    }
  }

  /** Zeroes the symbol tables that only debuggers read. */
  static void dropSymbols(Path library) throws IOException {
    ElfFile elf = ElfFile.read(library);
    try (FileChannel channel = FileChannel.open(library, StandardOpenOption.WRITE)) {
      for (String name : List.of(".symtab", ".strtab")) {
        var section = elf.section(name);
        if (section.isPresent()) {
          zero(channel, section.get().offset(), section.get().size());
        }
      }
    }
  }

  private static void check(boolean holds, Path library) {
    if (!holds) {
      throw new NativeConfigException(
          "the GPU code in " + library + " is damaged or of an unknown form: sizes do not add up");
    }
  }

  private static void zero(FileChannel channel, long offset, long size) throws IOException {
    long at = offset;
    while (at < offset + size) {
      ByteBuffer zeros = ZEROS.duplicate();
      zeros.limit((int) Math.min(zeros.capacity(), offset + size - at));
      at += channel.write(zeros, at);
    }
  }
}
