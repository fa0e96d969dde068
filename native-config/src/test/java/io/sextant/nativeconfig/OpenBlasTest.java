package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class OpenBlasTest {

  @Test
  void multipliesLikeThreeLoops() {
    OpenBlas blas = OpenBlas.shared().orElseThrow();
    assertThat(blas.description()).matches("OpenBLAS \\S+ \\(\\S+\\)");
    Random random = new Random(1);
    for (int rows : new int[] {1, 2, 33}) {
      for (int columns : new int[] {1, 7, 300}) {
        for (int depth : new int[] {1, 5, 64}) {
          multiply(blas, random, rows, columns, depth);
        }
      }
    }
  }

  /** More at once than OpenBLAS has working memory for, which would end the process. */
  @Test
  void anyNumberOfThreadsMayMultiply() throws Exception {
    OpenBlas blas = OpenBlas.shared().orElseThrow();
    ExecutorService threads = Executors.newFixedThreadPool(300);
    try {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < 1200; i++) {
        Random random = new Random(i);
        results.add(threads.submit(() -> multiply(blas, random, 40, 200, 30)));
      }
      for (Future<?> result : results) {
        result.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static void multiply(OpenBlas blas, Random random, int rows, int columns, int depth) {
    ByteBuffer a = floats(rows * depth);
    ByteBuffer b = floats(columns * depth);
    ByteBuffer c = floats(rows * columns + 1);
    FloatBuffer left = fill(a, random);
    FloatBuffer right = fill(b, random);
    FloatBuffer product = fill(c, random);
    product.put(0, Float.NaN);
    float after = product.get(rows * columns);
    blas.multiply(
        rows, columns, depth, OpenBlas.address(a), OpenBlas.address(b), OpenBlas.address(c));
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        float sum = 0;
        for (int x = 0; x < depth; x++) {
          sum += left.get(i * depth + x) * right.get(j * depth + x);
        }
        assertThat(product.get(i * columns + j)).as("%d, %d", i, j).isEqualTo(sum);
      }
    }
    assertThat(product.get(rows * columns)).isEqualTo(after);
  }

  private static ByteBuffer floats(int n) {
    return ByteBuffer.allocateDirect(n * Float.BYTES).order(ByteOrder.nativeOrder());
  }

  /** Whole numbers, whose sums are exact in any order. */
  private static FloatBuffer fill(ByteBuffer buffer, Random random) {
    FloatBuffer values = buffer.asFloatBuffer();
    for (int i = 0; i < values.capacity(); i++) {
      values.put(i, random.nextInt(41) - 20);
    }
    return values;
  }

  @Test
  void unpacksOnceAndWhole(@TempDir Path cache) throws IOException {
    String platform = NativePlatform.classifier().replace("aarch64", "arm64");
    Path folder = OpenBlas.unpack(platform, "1.2", cache);
    assertThat(folder).isEqualTo(cache.resolve("1.2-" + platform));
    Path library = folder.resolve("libopenblas.so.0");
    assertThat(library).isRegularFile();
    assertThat(OpenBlas.unpack(platform, "1.2", cache)).isEqualTo(folder);
    assertThatThrownBy(() -> OpenBlas.unpack("linux-vax", "1.2", cache))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("linux-vax");
    try (Stream<Path> left = Files.list(cache)) {
      assertThat(left).containsExactly(folder);
    }
  }

  @Test
  void processesThatUnpackAtTheSameTimeAgree(@TempDir Path cache) throws Exception {
    String platform = NativePlatform.classifier().replace("aarch64", "arm64");
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<Path>> folders = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        folders.add(threads.submit(() -> OpenBlas.unpack(platform, "1.2", cache)));
      }
      for (Future<Path> folder : folders) {
        assertThat(folder.get().resolve("libopenblas.so.0")).isRegularFile();
      }
      try (Stream<Path> left = Files.list(cache)) {
        assertThat(left).hasSize(1);
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
