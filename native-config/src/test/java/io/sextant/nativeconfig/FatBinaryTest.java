package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FatBinaryTest {

  /** A piece of GPU code: an architecture and the payload, of one repeated byte. */
  private record Entry(int architecture, int size, int fill) {}

  @TempDir Path root;

  private static byte[] container(Entry... entries) {
    int body = Arrays.stream(entries).mapToInt(e -> 64 + e.size).sum();
    ByteBuffer b = ByteBuffer.allocate(16 + body).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(0xBA55ED50).putShort((short) 1).putShort((short) 16).putLong(body);
    for (Entry e : entries) {
      int start = b.position();
      b.putShort((short) 2).putShort((short) 0x101).putInt(64).putLong(e.size);
      b.putInt(start + 28, e.architecture);
      b.position(start + 64);
      byte[] payload = new byte[e.size];
      Arrays.fill(payload, (byte) e.fill);
      b.put(payload);
    }
    return b.array();
  }

  /** The least that is an ELF library: a header, sections of the given names, their table. */
  static Path elf(Path file, List<String> names, List<byte[]> contents) throws IOException {
    StringBuilder text = new StringBuilder("\0");
    int[] nameAt = new int[names.size() + 1];
    for (int i = 0; i <= names.size(); i++) {
      nameAt[i] = text.length();
      text.append(i < names.size() ? names.get(i) : ".shstrtab").append('\0');
    }
    byte[] strings = text.toString().getBytes(StandardCharsets.ISO_8859_1);
    int size = 64 + strings.length + contents.stream().mapToInt(c -> (c.length + 7) / 8 * 8).sum();
    int table = (size + 7) / 8 * 8;
    int count = names.size() + 2;
    ByteBuffer b = ByteBuffer.allocate(table + 64 * count).order(ByteOrder.LITTLE_ENDIAN);
    b.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    b.putLong(40, table).putShort(58, (short) 64);
    b.putShort(60, (short) count).putShort(62, (short) (count - 1));
    int at = 64;
    for (int i = 0; i <= names.size(); i++) {
      byte[] content = i < names.size() ? contents.get(i) : strings;
      b.put(at, content);
      int header = table + 64 * (i + 1);
      b.putInt(header, nameAt[i]).putInt(header + 4, 1);
      b.putLong(header + 24, at).putLong(header + 32, content.length);
      at += (content.length + 7) / 8 * 8;
    }
    return Files.write(file, b.array());
  }

  private Path library(byte[]... containers) throws IOException {
    int size = Arrays.stream(containers).mapToInt(c -> (c.length + 7) / 8 * 8 + 8).sum();
    ByteBuffer section = ByteBuffer.allocate(size);
    int at = 0;
    for (byte[] container : containers) {
      section.put(at, container);
      // Padding between containers, as linkers leave it.
      at += (container.length + 7) / 8 * 8 + 8;
    }
    return elf(
        root.resolve("libgpu.so"),
        List.of(".text", ".nv_fatbin", ".symtab"),
        List.of(new byte[] {1, 2, 3}, section.array(), new byte[] {7, 7, 7, 7}));
  }

  private static long count(byte[] bytes, int value) {
    int n = 0;
    for (byte b : bytes) {
      n += b == value ? 1 : 0;
    }
    return n;
  }

  @Test
  void onlyTheOtherArchitecturesPayloadsAreZeroed() throws IOException {
    Path library =
        library(
            container(new Entry(80, 104, 80), new Entry(90, 40, 90)),
            container(new Entry(90, 8, 90)),
            container(new Entry(50, 3_000_000, 50), new Entry(80, 16, 80)));
    byte[] before = Files.readAllBytes(library);
    assertThat(FatBinary.keepOnly(library, 90)).isEqualTo(104 + 3_000_000 + 16);
    byte[] after = Files.readAllBytes(library);
    assertThat(after).hasSameSizeAs(before);
    assertThat(count(after, 90)).isGreaterThanOrEqualTo(48).isEqualTo(count(before, 90));
    for (int i = 0; i < before.length; i++) {
      if (after[i] != before[i]) {
        assertThat(after[i]).isZero();
        assertThat(before[i]).isIn((byte) 80, (byte) 50);
      }
    }
    assertThat(FatBinary.keepOnly(library, 90)).as("once more changes nothing").isPositive();
    assertThat(Files.readAllBytes(library)).isEqualTo(after);
  }

  @Test
  void anAbsentArchitectureIsRefusedAndNamed() throws IOException {
    Path library = library(container(new Entry(80, 16, 1), new Entry(70, 16, 1)));
    byte[] before = Files.readAllBytes(library);
    assertThatThrownBy(() -> FatBinary.keepOnly(library, 90))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("sm_90")
        .hasMessageContaining("[sm_70, sm_80]");
    assertThat(Files.readAllBytes(library)).isEqualTo(before);
  }

  @Test
  void sizesThatDoNotAddUpAreRefused() throws IOException {
    byte[] broken = container(new Entry(80, 16, 1), new Entry(90, 16, 1));
    ByteBuffer.wrap(broken).order(ByteOrder.LITTLE_ENDIAN).putLong(16 + 8, 1 << 20);
    Path library = library(broken);
    byte[] before = Files.readAllBytes(library);
    assertThatThrownBy(() -> FatBinary.keepOnly(library, 90))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("do not add up");
    assertThat(Files.readAllBytes(library)).isEqualTo(before);
  }

  @Test
  void symbolTablesAreZeroedAndNothingElse() throws IOException {
    Path library = library(container(new Entry(90, 16, 9)));
    byte[] before = Files.readAllBytes(library);
    FatBinary.dropSymbols(library);
    byte[] after = Files.readAllBytes(library);
    assertThat(count(before, 7) - count(after, 7)).isEqualTo(4);
    assertThat(count(after, 9)).isEqualTo(count(before, 9));
  }

  @Test
  void whatIsNoLibraryIsNamed() throws IOException {
    Path text = Files.writeString(root.resolve("x.so"), "this is no library ".repeat(9));
    assertThatThrownBy(() -> FatBinary.keepOnly(text, 90))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(text + " is no whole 64-bit ELF library");
    Path whole = library(container(new Entry(90, 16, 9)));
    byte[] bytes = Files.readAllBytes(whole);
    Files.write(whole, Arrays.copyOf(bytes, bytes.length - 100));
    assertThatThrownBy(() -> ElfFile.read(whole)).isInstanceOf(NativeConfigException.class);
    assertThat(ElfFile.is(text)).isFalse();
  }

  @Test
  void aRealLibraryTellsWhatItNeeds() throws IOException {
    Optional<Path> libjvm =
        Optional.of(Path.of(System.getProperty("java.home"), "lib/server/libjvm.so"))
            .filter(Files::isRegularFile);
    assumeTrue(libjvm.isPresent(), "no ELF libjvm.so here");
    ElfFile elf = ElfFile.read(libjvm.get());
    assertThat(elf.soname()).isEqualTo("libjvm.so");
    assertThat(elf.needed()).contains("libc.so.6").allMatch(n -> n.contains(".so"));
    assertThat(elf.section(".text")).isPresent();
  }
}
