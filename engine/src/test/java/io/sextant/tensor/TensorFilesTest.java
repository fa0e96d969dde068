package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.store.SafetensorsFile;
import io.sextant.store.SafetensorsWriter;
import io.sextant.store.TensorSource;
import io.sextant.store.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TensorFilesTest {

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, F32", "FLOAT64, F64", "FLOAT16, F16", "INT64, I64",
    "INT32, I32", "UINT8, U8", "INT8, I8", "BOOLEAN, BOOL"
  })
  void everyTypeIsWrittenByteForByte(DataType type, TensorType stored) {
    for (long[] shape : new long[][] {{5, 3}, {4, 2, 2}, {6}, {0, 3}, {}}) {
      with(
          manager -> {
            int elements = (int) new Shape(shape).size();
            byte[] bytes = bytes(type, elements);
            NDArray array =
                HostArrays.create(manager, new Shape(shape), type, memory -> memory.put(bytes));
            TensorSource source = TensorFiles.source("a", array);
            assertThat(source.spec().type()).isEqualTo(stored);
            assertThat(source.spec().dimensions()).isEqualTo(shape);
            int before = manager.getManagedArrays().size();
            try (SafetensorsFile file = write(source)) {
              assertThat(file.tensor("a").spec()).isEqualTo(source.spec());
              assertThat(bytesOf(file.tensor("a"))).isEqualTo(bytes);
            }
            assertThat(manager.getManagedArrays()).as("what stays behind").hasSize(before);
          });
    }
  }

  @Test
  void floatsAreLoadedAsTheyWereWritten() {
    for (long[] shape : new long[][] {{5, 3}, {4, 2, 2}, {6}, {0, 3}, {}}) {
      with(
          manager -> {
            float[] values = floats((int) new Shape(shape).size());
            NDArray array = HostArrays.floats(manager, values, shape);
            try (SafetensorsFile file = write(TensorFiles.source("a", array))) {
              NDArray loaded = TensorFiles.load(manager, file.tensor("a"));
              assertThat(loaded.getShape().getShape()).isEqualTo(shape);
              assertThat(HostArrays.toFloats(loaded)).isEqualTo(values);
              NDArray target = manager.zeros(new Shape(shape));
              int before = manager.getManagedArrays().size();
              TensorFiles.loadInto(target, file.tensor("a"));
              assertThat(HostArrays.toFloats(target)).isEqualTo(values);
              assertThat(manager.getManagedArrays()).as("what stays behind").hasSize(before);
            }
          });
    }
  }

  /** 24 MB, where a chunk has 16. */
  @Test
  void tensorsOfSeveralChunks() {
    with(
        manager -> {
          float[] values = floats(3 * 2_000_000);
          NDArray array = HostArrays.floats(manager, values, 2_000_000, 3);
          try (SafetensorsFile file = write(TensorFiles.source("a", array))) {
            assertThat(HostArrays.toFloats(TensorFiles.load(manager, file.tensor("a"))))
                .isEqualTo(values);
          }
        });
  }

  @Test
  void anyRowsCanBeRead() {
    with(
        manager -> {
          NDArray array = HostArrays.floats(manager, floats(21), 7, 3);
          TensorSource source = TensorFiles.source("a", array);
          ByteBuffer into = ByteBuffer.allocate(2 * 12 + 8);
          into.position(8);
          source.readRows(4, 2, into);
          assertThat(into.hasRemaining()).isFalse();
          into.position(8);
          float[] rows = new float[6];
          into.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(rows);
          assertThat(rows).isEqualTo(HostArrays.toFloats(array.get(new NDIndex("4:6"))));
        });
  }

  @Test
  void whatIsNotContiguousIsWrittenInItsOwnOrder() {
    with(
        manager -> {
          NDArray array = HostArrays.floats(manager, new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
          assertThat(TensorFiles.source("t", array.transpose()).toFloats())
              .containsExactly(1, 4, 2, 5, 3, 6);
          assertThat(TensorFiles.source("s", array.get(new NDIndex(":, 1:3"))).toFloats())
              .containsExactly(2, 3, 5, 6);
        });
  }

  @Test
  void anotherShapeOrTypeIsRefusedByName() {
    with(
        manager -> {
          NDArray target = manager.ones(new Shape(2, 3));
          for (TensorSource wrong :
              List.of(
                  TensorSource.of("wrong", new float[6], 3, 2),
                  TensorSource.of("wrong", new float[6], 6),
                  TensorSource.of("wrong", new float[9], 3, 3),
                  TensorSource.of("wrong", new int[6], 2, 3),
                  TensorSource.of("wrong", new double[6], 2, 3))) {
            assertThatThrownBy(() -> TensorFiles.loadInto(target, wrong))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("'wrong'")
                .hasMessageContaining(wrong.spec().shape().toString());
          }
          assertThat(HostArrays.toFloats(target)).containsOnly(1);
          assertThatThrownBy(
                  () -> TensorFiles.load(manager, TensorSource.of("longs", new long[2], 2)))
              .isInstanceOf(InvalidInputException.class)
              .hasMessageContaining("'longs'");
        });
  }

  private SafetensorsFile write(TensorSource source) {
    Path file = folder.resolve("a.safetensors");
    SafetensorsWriter.writeAtomically(file, List.of(source), Map.of());
    return SafetensorsFile.open(file);
  }

  private static byte[] bytesOf(TensorSource source) {
    ByteBuffer all = ByteBuffer.allocate((int) source.spec().bytes());
    source.forEachChunk(7, (first, rows, chunk) -> all.put(chunk));
    return all.array();
  }

  private static byte[] bytes(DataType type, int elements) {
    byte[] bytes = new byte[elements * type.getNumOfBytes()];
    Random random = new Random(5);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (type == DataType.BOOLEAN ? random.nextInt(2) : random.nextInt(256));
    }
    return bytes;
  }

  private static float[] floats(int size) {
    float[] values = new float[size];
    Random random = new Random(6);
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void with(Consumer<NDManager> test) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            test.accept(scope.manager());
          }
        });
  }
}
