package io.sextant.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {

  @TempDir Path folder;

  /** Every byte of this file was put down by hand from the description of the format. */
  @Test
  void golden() throws IOException {
    String header =
        "{\"__metadata__\":{\"k\":\"v\"},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
            + "\"n\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[8,12]},"
            + "\"b\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[12,15]}}  ";
    assertThat(header).hasSize(192);
    byte[] golden =
        concat(
            new byte[] {(byte) 0xc0, 0, 0, 0, 0, 0, 0, 0},
            header.getBytes(UTF_8),
            // 1.0f, -2.5f, 258, true, false, true
            new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0x20, (byte) 0xc0, 2, 1, 0, 0, 1, 0, 1});
    TensorSpec flags = TensorSpec.of("b", TensorType.BOOL, 3);
    byte[] written =
        write(
            List.of(
                TensorSource.of(flags, ByteBuffer.wrap(new byte[] {1, 0, 1})),
                TensorSource.of("n", new int[] {258}),
                TensorSource.of("a", new float[] {1f, -2.5f}, 2, 1)),
            Map.of("k", "v"));
    assertThat(written).isEqualTo(golden);
    Path file = Files.write(folder.resolve("golden"), golden);
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.metadata()).containsExactly(Map.entry("k", "v"));
      assertThat(read.specs().stream().map(TensorSpec::name)).containsExactly("a", "n", "b");
      assertThat(read.tensor("a").toFloats()).containsExactly(1f, -2.5f);
      assertThat(read.tensor("a").spec().shape()).containsExactly(2L, 1L);
      assertThat(read.tensor("n").toInts()).containsExactly(258);
      assertThat(bytes(read.tensor("b"))).containsExactly(1, 0, 1);
    }
  }

  @Test
  void headerIsPaddedWithSpaces() {
    byte[] written = write(List.of(TensorSource.of("ab", new long[] {7}, 1)), Map.of());
    long length = ByteBuffer.wrap(written).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertThat(length % 8).isZero();
    String header = new String(written, 8, (int) length, UTF_8);
    assertThat(header)
        .startsWith("{\"ab\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}");
    assertThat(header.substring(header.lastIndexOf('}') + 1)).isEqualTo(" ");
    assertThat(written).hasSize(8 + (int) length + 8);
  }

  @Test
  void noTensorsAtAll() throws IOException {
    byte[] written = write(List.of(), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(Files.write(folder.resolve("e"), written))) {
      assertThat(read.specs()).isEmpty();
      assertThat(read.metadata()).isEmpty();
      assertThat(read.contains("x")).isFalse();
      assertThatThrownBy(() -> read.tensor("x"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("no tensor 'x'");
    }
  }

  @Test
  void randomRoundTrips() {
    for (long seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      Map<String, TensorSource> tensors = new TreeMap<>();
      Map<String, String> metadata = new TreeMap<>();
      for (int i = random.nextInt(12); i > 0; i--) {
        TensorSource tensor = randomTensor(random);
        tensors.put(tensor.spec().name(), tensor);
        metadata.put(randomText(random), "\u0000\n\"\\/\u2028" + randomText(random));
      }
      Path file = folder.resolve("random-" + seed);
      SafetensorsWriter.writeAtomically(file, List.copyOf(tensors.values()), metadata);
      try (SafetensorsFile read = SafetensorsFile.open(file)) {
        assertThat(read.metadata()).as("seed %d", seed).isEqualTo(metadata);
        assertThat(read.specs())
            .as("seed %d", seed)
            .containsExactlyInAnyOrderElementsOf(
                tensors.values().stream().map(TensorSource::spec).toList());
        for (TensorSource tensor : tensors.values()) {
          assertThat(bytes(read.tensor(tensor.spec().name())))
              .as("seed %d, %s", seed, tensor.spec())
              .isEqualTo(bytes(tensor));
        }
      }
      List<TensorSource> shuffled = new ArrayList<>(tensors.values());
      Collections.shuffle(shuffled, random);
      assertThat(file)
          .as("seed %d: the order of the list must not matter", seed)
          .hasBinaryContent(write(shuffled, metadata));
    }
  }

  @Test
  void valuesOfEveryArrayTypeInChunksOfAnySize() {
    int n = 300_001;
    Random random = new Random(5);
    float[] floats = new float[n];
    double[] doubles = new double[n];
    int[] ints = new int[n];
    long[] longs = new long[n];
    for (int i = 0; i < n; i++) {
      floats[i] = random.nextFloat();
      doubles[i] = random.nextDouble();
      ints[i] = random.nextInt();
      longs[i] = random.nextLong();
    }
    Path file = folder.resolve("arrays");
    SafetensorsWriter.writeAtomically(
        file,
        List.of(
            TensorSource.of("f", floats, n),
            TensorSource.of("d", doubles, 1, n),
            TensorSource.of("i", ints, n, 1),
            TensorSource.of("l", longs, n)),
        Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.tensor("f").toFloats()).isEqualTo(floats);
      assertThat(read.tensor("d").toDoubles()).isEqualTo(doubles);
      assertThat(read.tensor("i").toInts()).isEqualTo(ints);
      assertThat(read.tensor("l").toLongs()).isEqualTo(longs);
      assertThatThrownBy(() -> read.tensor("l").toInts())
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("of type I64, not I32");
      ByteBuffer all = ByteBuffer.allocate(n * 4).order(ByteOrder.LITTLE_ENDIAN);
      read.tensor("f")
          .forEachChunk(
              4099,
              (row, rows, chunk) -> {
                assertThat(chunk.remaining()).isEqualTo(rows * 4).isLessThanOrEqualTo(4099);
                assertThat(row * 4).isEqualTo(all.position());
                all.put(chunk);
              });
      assertThat(all.remaining()).isZero();
      assertThat(all.getFloat(4 * 70_000)).isEqualTo(floats[70_000]);
    }
  }

  @Test
  void readRowsAdvancesThePositionAndKeepsTheOrder() {
    TensorSource inHeap = TensorSource.of("w", new int[] {1, 2, 3, 4, 5, 6}, 3, 2);
    Path file = folder.resolve("rows");
    SafetensorsWriter.writeAtomically(file, List.of(inHeap), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      for (TensorSource source : List.of(inHeap, read.tensor("w"))) {
        ByteBuffer into = ByteBuffer.allocate(30).order(ByteOrder.BIG_ENDIAN).position(3);
        source.readRows(1, 2, into);
        assertThat(into.position()).isEqualTo(19);
        assertThat(into.limit()).isEqualTo(30);
        assertThat(into.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
        assertThat(Arrays.copyOfRange(into.array(), 0, 20))
            .containsExactly(0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 0);
        assertThatThrownBy(() -> source.readRows(0, 2, into))
            .isInstanceOf(BufferOverflowException.class);
        assertThatThrownBy(() -> source.readRows(2, 2, ByteBuffer.allocate(99)))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
  }

  @Test
  void wrongBooleansAreRefused() throws IOException {
    TensorSpec spec = TensorSpec.of("flags", TensorType.BOOL, 2);
    byte[] written =
        write(List.of(TensorSource.of(spec, ByteBuffer.wrap(new byte[] {1, 2}))), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(Files.write(folder.resolve("b"), written))) {
      assertThatThrownBy(() -> bytes(read.tensor("flags")))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("holds the value 2");
    }
  }

  @Test
  void closedFilesSaySo() {
    Path file = folder.resolve("closed");
    SafetensorsWriter.writeAtomically(file, List.of(TensorSource.of("x", new int[1])), Map.of());
    SafetensorsFile read = SafetensorsFile.open(file);
    read.close();
    read.close();
    assertThatThrownBy(() -> read.tensor("x").toInts())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is closed");
  }

  @Test
  void wideTypesComeFirstSoThatAllAreAligned() {
    List<TensorSource> tensors = new ArrayList<>();
    for (TensorType type : TensorType.values()) {
      TensorSpec spec = TensorSpec.of("t" + type, type, 3);
      tensors.add(TensorSource.of(spec, ByteBuffer.allocate((int) spec.bytes())));
    }
    Path file = folder.resolve("aligned");
    SafetensorsWriter.writeAtomically(file, tensors, Map.of("key", "value"));
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      long at = 0;
      for (TensorSpec spec : read.specs()) {
        assertThat(at % spec.type().bytes()).as(spec.toString()).isZero();
        at += spec.bytes();
      }
    }
  }

  @Test
  void whatCannotBeWrittenIsRefused() {
    TensorSource x = TensorSource.of("x", new int[1]);
    assertThatThrownBy(() -> write(List.of(x, x), Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two tensors have the name 'x'");
    assertThatThrownBy(() -> write(List.of(x), Map.of("k", "\udfff")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("surrogate");
    TensorSource lazy = new Zeros(TensorSpec.of("lazy", TensorType.F32, 4), 3);
    assertThatThrownBy(() -> write(List.of(lazy), Map.of()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("gave 3 bytes");
  }

  @Test
  void moreThanTwoGibibytesAreStreamedInSmallChunks() throws IOException {
    long[] counted = {0};
    WritableByteChannel nowhere =
        new WritableByteChannel() {
          @Override
          public int write(ByteBuffer from) {
            int count = from.remaining();
            assertThat(from.capacity()).isLessThanOrEqualTo(SafetensorsWriter.CHUNK_BYTES);
            from.position(from.limit());
            counted[0] += count;
            return count;
          }

          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}
        };
    TensorSpec spec = TensorSpec.of("huge", TensorType.F32, 20_000_000, 64);
    SafetensorsWriter.write(nowhere, List.of(new Zeros(spec, -1)), Map.of());
    assertThat(counted[0]).isEqualTo(5_120_000_000L + 88);
  }

  @Test
  void rowsBeyondTwoGibibytesAreRead() throws IOException {
    TensorSpec spec = TensorSpec.of("huge", TensorType.I64, 600_000_000);
    Path file = folder.resolve("sparse");
    ByteBuffer header = SafetensorsHeader.layOut(List.of(spec), Map.of()).encode();
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      long start = header.remaining();
      AtomicFiles.writeFully(sparse.getChannel(), header);
      sparse.setLength(start + spec.bytes());
      sparse.seek(start + 599_999_998L * 8);
      sparse.write(new byte[] {1, 2, 0, 0, 0, 0, 0, 0, 3});
    }
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      ByteBuffer into = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
      read.tensor("huge").readRows(599_999_997, 3, into);
      assertThat(into.flip().getLong()).isZero();
      assertThat(into.getLong()).isEqualTo(513);
      assertThat(into.getLong()).isEqualTo(3);
      assertThatThrownBy(() -> read.tensor("huge").toLongs())
          .isInstanceOfAny(InvalidInputException.class, OutOfMemoryError.class);
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void fullDiskThroughAStream() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "this platform has no /dev/full");
    try (OutputStream out = new FileOutputStream(full.toFile())) {
      assertThatThrownBy(
              () ->
                  SafetensorsWriter.write(
                      out, List.of(TensorSource.of("x", new int[9], 9)), Map.of()))
          .isInstanceOf(SextantException.class)
          .hasMessageContaining("No space left on device")
          .hasMessageContaining("free space");
    }
  }

  @Test
  void failedWritesLeaveTheOldFile() throws IOException {
    Path file = folder.resolve("checkpoint");
    SafetensorsWriter.writeAtomically(file, List.of(TensorSource.of("x", new int[9], 9)), Map.of());
    byte[] before = Files.readAllBytes(file);
    List<TensorSource> larger = List.of(TensorSource.of("x", new int[99], 99));
    int whole = write(larger, Map.of()).length;
    for (int room = 0; room < whole; room++) {
      AtomicFiles.Disk disk = FailingDisk.withRoomFor(room);
      assertThatThrownBy(() -> SafetensorsWriter.writeAtomically(file, larger, Map.of(), disk))
          .isInstanceOf(SextantException.class)
          .hasMessageContaining(file.toString())
          .hasMessageContaining("No space left on device");
      assertThat(file).hasBinaryContent(before);
      assertThat(folder.toFile().list()).containsExactly("checkpoint");
    }
    SafetensorsWriter.writeAtomically(file, larger, Map.of(), FailingDisk.withRoomFor(whole));
    assertThat(file).hasBinaryContent(write(larger, Map.of()));
  }

  @Test
  void failingSourcesLeaveTheOldFile() throws IOException {
    Path file = Files.writeString(folder.resolve("kept"), "old");
    TensorSource broken =
        new TensorSource() {
          @Override
          public TensorSpec spec() {
            return TensorSpec.of("x", TensorType.F32, 1_000_000);
          }

          @Override
          public void readRows(long firstRow, int rows, ByteBuffer into) {
            if (firstRow > 0) {
              throw new UnsupportedOperationException("the device is gone");
            }
            into.position(into.position() + rows * 4);
          }
        };
    assertThatThrownBy(() -> SafetensorsWriter.writeAtomically(file, List.of(broken), Map.of()))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(file).hasContent("old");
    assertThat(folder.toFile().list()).containsExactly("kept");
  }

  @Test
  void impossiblePlacesAreNamed() throws IOException {
    List<TensorSource> tensors = List.of(TensorSource.of("x", new int[1]));
    Path file = Files.writeString(folder.resolve("file"), "text");
    assertThatThrownBy(
            () -> SafetensorsWriter.writeAtomically(file.resolve("x"), tensors, Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("not a folder");
    assertThatThrownBy(() -> SafetensorsWriter.writeAtomically(folder, tensors, Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("it is a folder");
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("nowhere")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("there is no " + folder.resolve("nowhere"));
  }

  @Test
  void openFilesOutliveTheirReplacement() {
    Path file = folder.resolve("replaced");
    SafetensorsWriter.writeAtomically(file, List.of(TensorSource.of("x", new int[] {1})), Map.of());
    try (SafetensorsFile old = SafetensorsFile.open(file)) {
      SafetensorsWriter.writeAtomically(
          file, List.of(TensorSource.of("y", new int[] {2, 3}, 2)), Map.of());
      assertThat(old.tensor("x").toInts()).containsExactly(1);
    }
  }

  @Test
  void filesThatShrinkWhileOpenAreRefused() throws IOException {
    Path file = folder.resolve("shrunk");
    SafetensorsWriter.writeAtomically(file, List.of(TensorSource.of("x", new int[9], 9)), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() - 1);
      assertThatThrownBy(() -> read.tensor("x").toInts())
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("became shorter");
    }
  }

  static byte[] write(List<? extends TensorSource> tensors, Map<String, String> metadata) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SafetensorsWriter.write(out, tensors, metadata);
    return out.toByteArray();
  }

  static byte[] bytes(TensorSource tensor) {
    ByteBuffer all = ByteBuffer.allocate((int) tensor.spec().bytes());
    tensor.forEachChunk(1 << 16, (row, rows, chunk) -> all.put(chunk));
    assertThat(all.remaining()).isZero();
    return all.array();
  }

  private static TensorSource randomTensor(Random random) {
    List<TensorType> types = List.of(TensorType.values());
    TensorType type = types.get(random.nextInt(types.size()));
    long[] shape = new long[random.nextInt(4)];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = random.nextInt(i == 0 ? 400 : 13);
    }
    TensorSpec spec = TensorSpec.of(randomText(random), type, shape);
    byte[] values = new byte[(int) spec.bytes()];
    random.nextBytes(values);
    if (type == TensorType.BOOL) {
      for (int i = 0; i < values.length; i++) {
        values[i] &= 1;
      }
    }
    return TensorSource.of(spec, ByteBuffer.wrap(values));
  }

  private static String randomText(Random random) {
    String[] parts = {"a", "Z", ".", "/", " ", "\"", "\\", "ä", "推", "\ud83d\ude00", "<", "\u2028"};
    StringBuilder text = new StringBuilder("n");
    for (int i = random.nextInt(9); i > 0; i--) {
      text.append(parts[random.nextInt(parts.length)]);
    }
    return text.toString();
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** A tensor of zeros of any size; or a wrong one, which gives another number of bytes. */
  record Zeros(TensorSpec spec, int wrongBytes) implements TensorSource {

    @Override
    public void readRows(long firstRow, int rows, ByteBuffer into) {
      into.position(
          into.position() + (wrongBytes >= 0 ? wrongBytes : spec.bytesOfRows(firstRow, rows)));
    }
  }
}
