package io.sextant.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoredHistoriesTest {

  @TempDir Path folder;

  /** What is in golden-v2. */
  private static BundleWriter sample() {
    int[][] histories = {{}, {2, 0, 2}, {1}};
    return ModelBundleTest.sample(new BundleWriter())
        .users(List.of("u0", "u1", "u2"))
        .items(List.of("a", "b", "c"))
        .histories(user -> histories[user]);
  }

  private static void assertSample(ModelBundle read) {
    StoredHistories histories = read.histories().orElseThrow();
    assertThat(histories.numUsers()).isEqualTo(3);
    assertThat(histories.size()).isEqualTo(4);
    assertThat(histories.of(0)).isEmpty();
    assertThat(histories.of(1)).containsExactly(2, 0, 2);
    assertThat(histories.of(2)).containsExactly(1);
    assertThat(histories.allOffsets()).containsExactly(0, 0, 3, 4);
    assertThat(histories.allItems()).containsExactly(2, 0, 2, 1);
    assertThatThrownBy(() -> histories.of(3)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> histories.of(-1)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  /** Bundles of format 2 must stay readable for ever, and today's writer still writes them. */
  @Test
  void goldenBundleOfFormat2() throws IOException, URISyntaxException {
    Path written = folder.resolve("model");
    sample().write(written);
    URL url =
        Objects.requireNonNull(StoredHistoriesTest.class.getResource("golden-v2/manifest.json"));
    Path golden = Objects.requireNonNull(Path.of(url.toURI()).getParent());
    try (ModelBundle read = ModelBundle.open(golden)) {
      assertSample(read);
    }
    assertThat(ModelBundleTest.content(written)).isEqualTo(ModelBundleTest.content(golden));
  }

  @Test
  void aBundleWithoutHistoriesHasNoneAndIsOfFormat1() throws IOException {
    Path written = folder.resolve("model");
    ModelBundleTest.sample().write(written);
    try (ModelBundle read = ModelBundle.open(written)) {
      assertThat(read.histories()).isEmpty();
    }
    assertThat(Files.readString(written.resolve("manifest.json")))
        .contains("\"formatVersion\": 1,")
        .doesNotContain("histories");
  }

  @Test
  void aBundleWithoutUsersCanHaveHistories() {
    Path written = folder.resolve("model");
    new BundleWriter()
        .strategy("s", "S", "{}", List.of())
        .histories(user -> new int[] {user})
        .write(written);
    try (ModelBundle read = ModelBundle.open(written)) {
      assertThat(read.histories().orElseThrow().numUsers()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void whatIsWrittenIsReadWhateverTheChunks(long seed) {
    Random random = new Random(seed);
    int[][] histories = new int[1 + random.nextInt(200)][];
    for (int user = 0; user < histories.length; user++) {
      int length = random.nextInt(3) == 0 ? 0 : random.nextInt(50);
      histories[user] = random.ints(length, 0, 70).toArray();
    }
    int[] flat = Arrays.stream(histories).flatMapToInt(Arrays::stream).toArray();
    TensorSource items =
        new HistoryTensors(user -> histories[user], histories.length, 70).tensors().get(1);
    for (int i = 0; i < 300; i++) {
      int from = random.nextInt(flat.length + 1);
      int count = random.nextInt(flat.length - from + 1);
      ByteBuffer into = ByteBuffer.allocate(count * 4 + 8).order(ByteOrder.LITTLE_ENDIAN);
      into.position(4);
      items.readRows(from, count, into);
      assertThat(into.position()).isEqualTo(4 + 4 * count);
      int[] read = new int[count];
      into.position(4).asIntBuffer().get(read);
      assertThat(read)
          .as("seed %d, rows %d to %d", seed, from, from + count)
          .isEqualTo(Arrays.copyOfRange(flat, from, from + count));
    }
    Path written = folder.resolve("model");
    write(written, histories, 70);
    try (ModelBundle bundle = ModelBundle.open(written)) {
      StoredHistories read = bundle.histories().orElseThrow();
      for (int user = 0; user < histories.length; user++) {
        assertThat(read.of(user)).as("seed %d, user %d", seed, user).isEqualTo(histories[user]);
      }
    }
  }

  private static void write(Path target, int[][] histories, int numItems) {
    new BundleWriter()
        .strategy("s", "S", "{}", List.of())
        .users(IntStream.range(0, histories.length).mapToObj(u -> "u" + u).toList())
        .items(IntStream.range(0, numItems).mapToObj(i -> "i" + i).toList())
        .histories(user -> histories[user])
        .write(target);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, -1, Integer.MAX_VALUE})
  void aHistoryOfUnknownItemsIsNotWritten(int item) {
    Path target = folder.resolve("model");
    assertThatThrownBy(() -> write(target, new int[][] {{0}, {2, item}}, 3))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("history of user 1 holds item " + item)
        .hasMessageContaining("0 to 2");
    assertThat(folder.toFile().list()).isEmpty();
  }

  @Test
  void hostileTensorsAreRefused() {
    int[] good = {0, 1, 3};
    refused("is item 5, which is not one of the 5 items", good, new int[] {0, 4, 5}, 2, 5);
    refused("is item -1", good, new int[] {0, -1, 4}, 2, 5);
    refused("must begin with 0 and ascend", new int[] {1, 1, 3}, new int[3], 2, 5);
    refused("must begin with 0 and ascend", new int[] {0, 3, 2}, new int[2], 2, 5);
    refused("must begin with 0 and ascend", new int[] {0, -1, 3}, new int[3], 2, 5);
    refused("end at 3 but there are 4 items", good, new int[4], 2, 5);
    refused("end at 3 but there are 2 items", good, new int[2], 2, 5);
    refused("histories of 3 users need", good, new int[3], 3, 5);
    refused("histories of 1 users need", good, new int[3], 1, 5);
    refused(
        "need the tensors",
        List.of(
            TensorSource.of("offsets", new long[] {0, 1}, 2),
            TensorSource.of("items", new int[1], 1)),
        1,
        5);
    refused("need the tensors", List.of(TensorSource.of("offsets", new int[] {0, 0}, 2)), 1, 5);
    refused("need the tensors", List.of(), 0, 0);
    List<TensorSource> more = new ArrayList<>(tensors(new int[] {0, 1}, new int[1]));
    more.add(TensorSource.of("times", new long[1], 1));
    refused("need the tensors", more, 1, 5);
  }

  private static List<TensorSource> tensors(int[] offsets, int[] items) {
    return List.of(
        TensorSource.of("offsets", offsets, offsets.length),
        TensorSource.of("items", items, items.length));
  }

  private void refused(String message, int[] offsets, int[] items, int numUsers, int numItems) {
    refused(message, tensors(offsets, items), numUsers, numItems);
  }

  private void refused(String message, List<TensorSource> tensors, int numUsers, int numItems) {
    Path file = folder.resolve("histories.safetensors");
    SafetensorsWriter.writeAtomically(file, tensors, Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThatThrownBy(() -> StoredHistories.open(read, numUsers, numItems, "here"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith("here: ")
          .hasMessageContaining(message);
    }
  }

  @Test
  void aBundleOfWhichAHistoryWasChangedIsRefusedEvenWithTheRightChecksum() throws IOException {
    Path bundle = folder.resolve("model");
    sample().write(bundle);
    Path file = bundle.resolve("histories.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    String before = AtomicFiles.digest(ByteBuffer.wrap(bytes)).sha256();
    // The items lie before the four offsets.
    bytes[bytes.length - 20] = 3;
    Files.write(file, bytes);
    String after = AtomicFiles.digest(ByteBuffer.wrap(bytes)).sha256();
    Path manifest = bundle.resolve("manifest.json");
    byte[] edited = Files.readString(manifest).replace(before, after).getBytes(UTF_8);
    Files.write(manifest, edited);
    Files.writeString(
        bundle.resolve("manifest.sha256"),
        AtomicFiles.digest(ByteBuffer.wrap(edited)).sha256() + "  manifest.json\n");
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("is item 3, which is not one of the 3 items");
  }

  @Test
  void format1HasNoHistories() throws IOException {
    Path bundle = folder.resolve("model");
    sample().write(bundle);
    Path manifest = bundle.resolve("manifest.json");
    byte[] edited =
        Files.readString(manifest)
            .replace("\"formatVersion\": 2", "\"formatVersion\": 1")
            .getBytes(UTF_8);
    Files.write(manifest, edited);
    Files.writeString(
        bundle.resolve("manifest.sha256"),
        AtomicFiles.digest(ByteBuffer.wrap(edited)).sha256() + "  manifest.json\n");
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("unknown field 'histories'");
  }
}
