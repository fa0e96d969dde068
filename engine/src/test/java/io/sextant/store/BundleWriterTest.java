package io.sextant.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.File;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BundleWriterTest {

  @TempDir Path folder;

  private static BundleWriter small() {
    return small(new BundleWriter());
  }

  private static BundleWriter small(BundleWriter writer) {
    return writer.strategy("s", "S", "{}", List.of(TensorSource.of("x", new int[] {1})));
  }

  @Test
  void fullDiskAtAnyByteLeavesTheOldBundle() throws IOException {
    Path target = folder.resolve("model");
    small().write(target);
    Map<String, List<Byte>> before = ModelBundleTest.content(target);
    int failures = 0;
    boolean done = false;
    for (int room = 0; !done; room += 3) {
      BundleWriter writer = ModelBundleTest.sample(new BundleWriter(FailingDisk.withRoomFor(room)));
      try {
        writer.write(target);
        done = true;
      } catch (SextantException e) {
        failures++;
        assertThat(e)
            .hasMessageContaining(target.toString())
            .hasMessageContaining("No space left on device")
            .hasRootCauseInstanceOf(IOException.class);
        assertThat(ModelBundleTest.content(target)).isEqualTo(before);
        assertThat(folder.toFile().list()).containsExactly("model");
      }
    }
    assertThat(failures).isGreaterThan(500);
    try (ModelBundle read = ModelBundle.open(target)) {
      assertThat(read.strategies()).hasSize(2);
    }
  }

  @Test
  void fullDiskLeavesNothingWhereNothingWas() {
    Path target = folder.resolve("model");
    BundleWriter writer = small(new BundleWriter(FailingDisk.withRoomFor(200)));
    assertThatThrownBy(() -> writer.write(target)).isInstanceOf(SextantException.class);
    assertThat(folder.toFile().list()).isEmpty();
  }

  @Test
  void failingIdsLeaveTheOldBundle() throws IOException {
    Path target = folder.resolve("model");
    small().write(target);
    Map<String, List<Byte>> before = ModelBundleTest.content(target);
    BundleWriter writer = small().users(List.of("a", "a"));
    assertThatThrownBy(() -> writer.write(target))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("user id 'a' is there twice");
    assertThat(ModelBundleTest.content(target)).isEqualTo(before);
    assertThat(folder.toFile().list()).containsExactly("model");
  }

  @Test
  void foldersThatAreNoBundleAreKept() throws IOException {
    Path target = Files.createDirectory(folder.resolve("work"));
    Path precious = Files.writeString(target.resolve("thesis.tex"), "x");
    assertThatThrownBy(() -> small().write(target))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("neither empty nor a model bundle");
    Files.writeString(target.resolve("manifest.json"), "{}");
    Files.writeString(target.resolve("manifest.sha256"), "");
    assertThatThrownBy(() -> small().write(target))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("neither empty nor a model bundle");
    assertThat(precious).hasContent("x");
    Files.delete(precious);
    small().write(target);
    ModelBundle.open(target).close();
    assertThat(folder.toFile().list()).containsExactly("work");
  }

  @Test
  void emptyFoldersAndDamagedBundlesAreReplaced() throws IOException {
    Path target = Files.createDirectory(folder.resolve("model"));
    small().write(target);
    Files.delete(target.resolve("users.ids"));
    small().write(target);
    ModelBundle.open(target).close();
    assertThat(folder.toFile().list()).containsExactly("model");
  }

  @Test
  void impossiblePlacesAreNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x");
    assertThatThrownBy(() -> small().write(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("there is a file of this name");
    assertThatThrownBy(() -> small().write(file.resolve("a/b")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.resolve("a/b").toString())
        .hasMessageContaining("Not a directory");
    assertThatThrownBy(() -> small().write(Path.of("/")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("root of a file system");
    Path real = Files.createDirectory(folder.resolve("real"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), real);
    assertThatThrownBy(() -> small().write(link))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("symbolic link");
    assertThat(file).hasContent("x");
  }

  @Test
  void unwritableFolder() throws IOException {
    Path locked = Files.createDirectory(folder.resolve("locked"));
    File asFile = locked.toFile();
    assertThat(asFile.setWritable(false)).isTrue();
    try {
      assumeFalse(Files.isWritable(locked), "this user may write everywhere");
      assertThatThrownBy(() -> small().write(locked.resolve("model")))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(locked.resolve("model").toString())
          .hasMessageContaining("permission denied");
    } finally {
      assertThat(asFile.setWritable(true)).isTrue();
    }
    assertThat(asFile.list()).isEmpty();
  }

  @Test
  void deniedPermissionIsToldWhoeverRunsTheTest() {
    AtomicFiles.Disk denied =
        file -> {
          throw new AccessDeniedException(file.toString());
        };
    Path target = folder.resolve("model");
    assertThatThrownBy(() -> small(new BundleWriter(denied)).write(target))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(target.toString())
        .hasMessageContaining("permission denied");
    assertThat(folder.toFile().list()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "..", ".", "a/b", "a\\b", "A", "-a", "a.", "a ", "a\n", "ä", "\0", "con:"})
  void namesThatCannotBeFilesAreRefused(String name) {
    BundleWriter writer = new BundleWriter();
    assertThatThrownBy(() -> writer.strategy(name, "S", "{}", List.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a strategy's name must be");
    assertThatThrownBy(() -> writer.document(name, ""))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a document's name must be");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "7", "{", "{a:1}", "{\"a\":NaN}", "{\"a\":1,\"a\":2}", "{} {}"})
  void configurationsThatAreNoJsonObjectAreRefused(String json) {
    assertThatThrownBy(() -> new BundleWriter().strategy("s", "S", json, List.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("the configuration of strategy s");
  }

  @Test
  void deepConfigurationsThatAreWrittenCanBeRead() {
    String deep = "{\"a\":".repeat(31) + "{}" + "}".repeat(31);
    new BundleWriter()
        .strategy("s", "S", deep, List.of())
        .policy("1", deep, List.of())
        .write(folder.resolve("deep"));
    try (ModelBundle read = ModelBundle.open(folder.resolve("deep"))) {
      assertThat(read.strategy("s").configJson()).isEqualTo(deep);
    }
    assertThatThrownBy(
            () -> new BundleWriter().strategy("s", "S", "{\"a\":" + deep + "}", List.of()))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void wrongContentIsRefused() {
    assertThatThrownBy(() -> new BundleWriter().write(folder.resolve("m")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at least one strategy");
    assertThatThrownBy(() -> small(small()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two strategies of the name s");
    assertThatThrownBy(() -> small().document("d", "").document("d", ""))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two documents");
    assertThatThrownBy(() -> small().document("d", "\ud800"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("surrogate");
    assertThatThrownBy(() -> small().provenance("k", "\ud800"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("surrogate");
    assertThatThrownBy(() -> small().provenance("k", "").provenance("k", ""))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("given twice");
    BundleWriter half = new BundleWriter().strategy("s", "S", "{\"a\":\"\\ud800\"}", List.of());
    assertThatThrownBy(() -> half.write(folder.resolve("m")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("surrogate");
    TensorSource x = TensorSource.of("x", new int[1]);
    BundleWriter twice = new BundleWriter().strategy("s", "S", "{}", List.of(x, x));
    assertThatThrownBy(() -> twice.write(folder.resolve("m")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two tensors");
    assertThat(folder.toFile().list()).isEmpty();
  }

  /** A service that loads while a trainer replaces must see the one bundle or the other. */
  @Test
  void readersNeverSeeAHalfReplacedBundle() throws InterruptedException {
    Path target = folder.resolve("model");
    ModelBundleTest.sample().write(target);
    AtomicBoolean stop = new AtomicBoolean();
    AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();
    Thread reader =
        new Thread(
            () -> {
              while (!stop.get()) {
                try (ModelBundle read = ModelBundle.open(target)) {
                  int[] values =
                      read.strategies().size() == 2
                          ? new int[] {1}
                          : read.strategy("s").tensors().tensor("x").toInts();
                  assertThat(values).containsExactly(1);
                } catch (Throwable e) {
                  failed.set(e);
                  return;
                }
              }
            });
    reader.start();
    for (int i = 0; i < 60; i++) {
      (i % 2 == 0 ? small() : ModelBundleTest.sample()).write(target);
    }
    stop.set(true);
    reader.join();
    assertThat(failed.get()).isNull();
    assertThat(folder.toFile().list()).containsExactly("model");
  }

  /** 300 MB through a JVM that could not hold a tenth of it. */
  @Test
  void largeTensorsNeedLittleHeap() throws IOException, InterruptedException {
    Path target = folder.resolve("large");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx24m",
                "-XX:MaxDirectMemorySize=16m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                LargeTensor.class.getName(),
                target.toString())
            .redirectErrorStream(true)
            .start();
    String output;
    try (var reader = process.inputReader()) {
      output = String.join("\n", reader.lines().toList());
    }
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(output).isEqualTo("300000000 bytes");
    assertThat(process.exitValue()).isZero();
  }

  /** Writes a large tensor into a bundle and reads it back, as a program of its own. */
  static final class LargeTensor {

    private LargeTensor() {}

    public static void main(String[] args) {
      Path target = Path.of(args[0]);
      TensorSpec spec = TensorSpec.of("table", TensorType.F32, 1_000_000, 75);
      new BundleWriter()
          .strategy("large", "Large", "{}", List.of(new SafetensorsTest.Zeros(spec, -1)))
          .write(target);
      long[] bytes = {0};
      try (ModelBundle read = ModelBundle.open(target)) {
        read.strategy("large")
            .tensors()
            .tensor("table")
            .forEachChunk(1 << 20, (row, rows, chunk) -> bytes[0] += chunk.remaining());
      }
      System.out.println(bytes[0] + " bytes");
    }
  }
}
