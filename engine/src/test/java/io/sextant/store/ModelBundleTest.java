package io.sextant.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelBundleTest {

  @TempDir Path folder;
  private Path bundle;

  @BeforeEach
  void writeBundle() {
    bundle = folder.resolve("model");
    sample().write(bundle);
  }

  /** A bundle with one of everything, the same bytes every time. */
  static BundleWriter sample() {
    return sample(new BundleWriter());
  }

  static BundleWriter sample(BundleWriter writer) {
    return writer
        .engineVersion("0.1.0")
        .created(Instant.parse("2026-11-24T00:00:00Z"))
        .strategy(
            "two-tower",
            "TwoTower",
            "{\"factors\": 2, \"rate\": 1e-3, \"tags\": [null, true, {\"a<b\": \"\\u00e4\"}]}",
            List.of(
                TensorSource.of("users", new float[] {1, 2, 3, 4}, 2, 2),
                TensorSource.of("items", new float[] {5, 6}, 1, 2),
                TensorSource.of(
                    TensorSpec.of("half", TensorType.F16, 1), ByteBuffer.wrap(new byte[] {0, 60}))))
        .strategy(
            "popularity", "Popularity", "{}", List.of(TensorSource.of("counts", new long[] {7}, 1)))
        .policy("policy-3", "{\"hidden\":4}", List.of(TensorSource.of("bias", new double[] {0.5})))
        .users(List.of("u1", "name with\nbreak"))
        .items(List.of("推荐"))
        .document("titles.json", "{\"推荐\":\"a film\"}\n")
        .document("empty", "")
        .provenance("recipe", "epochs = 3\n")
        .provenance("seed", "42");
  }

  private static void assertSample(ModelBundle read) {
    assertThat(read.engineVersion()).isEqualTo("0.1.0");
    assertThat(read.created()).isEqualTo(Instant.parse("2026-11-24T00:00:00Z"));
    assertThat(read.strategies().stream().map(StoredStrategy::name))
        .containsExactly("two-tower", "popularity");
    StoredStrategy tower = read.strategy("two-tower");
    assertThat(tower.type()).isEqualTo("TwoTower");
    assertThat(tower.configJson())
        .isEqualTo("{\"factors\":2,\"rate\":1e-3,\"tags\":[null,true,{\"a<b\":\"ä\"}]}");
    assertThat(tower.tensors().tensor("users").toFloats()).containsExactly(1, 2, 3, 4);
    assertThat(tower.tensors().tensor("items").spec())
        .isEqualTo(TensorSpec.of("items", TensorType.F32, 1, 2));
    assertThat(read.strategy("popularity").tensors().tensor("counts").toLongs()).containsExactly(7);
    StoredPolicy policy = read.policy().orElseThrow();
    assertThat(policy.version()).isEqualTo("policy-3");
    assertThat(policy.configJson()).isEqualTo("{\"hidden\":4}");
    assertThat(policy.tensors().tensor("bias").toDoubles()).containsExactly(0.5);
    assertThat(read.users()).containsExactly("u1", "name with\nbreak");
    assertThat(read.items()).containsExactly("推荐");
    assertThat(read.documents()).containsExactly("empty", "titles.json");
    assertThat(read.document("titles.json")).contains("{\"推荐\":\"a film\"}\n");
    assertThat(read.document("empty")).contains("");
    assertThat(read.document("other")).isEmpty();
    assertThat(read.provenance())
        .containsExactly(Map.entry("recipe", "epochs = 3\n"), Map.entry("seed", "42"));
  }

  @Test
  void roundTrip() {
    try (ModelBundle read = ModelBundle.open(bundle)) {
      assertSample(read);
      assertThatThrownBy(() -> read.strategy("als"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("no strategy 'als', only [two-tower, popularity]");
    }
  }

  @Test
  void leastBundle() {
    Path least = folder.resolve("a/b/least");
    new BundleWriter().strategy("s", "S", "{}", List.of()).write(least);
    try (ModelBundle read = ModelBundle.open(least);
        ModelBundle other = ModelBundle.open(bundle);
        ModelBundle again = ModelBundle.open(bundle)) {
      assertThat(other.contentId()).matches("[0-9a-f]{12}").isEqualTo(again.contentId());
      assertThat(read.contentId()).isNotEqualTo(other.contentId());
      assertThat(read.policy()).isEmpty();
      assertThat(read.users()).isEmpty();
      assertThat(read.items()).isEmpty();
      assertThat(read.documents()).isEmpty();
      assertThat(read.strategy("s").tensors().specs()).isEmpty();
    }
  }

  /** Bundles of format 1 must stay readable for ever, and today's writer still writes them. */
  @Test
  void goldenBundleOfFormat1() throws IOException, URISyntaxException {
    URL url = Objects.requireNonNull(ModelBundleTest.class.getResource("golden-v1/manifest.json"));
    Path golden = Objects.requireNonNull(Path.of(url.toURI()).getParent());
    try (ModelBundle read = ModelBundle.open(golden)) {
      assertSample(read);
    }
    assertThat(content(bundle)).isEqualTo(content(golden));
  }

  @Test
  void openBundlesOutliveTheirReplacementAndCanBeCopiedIntoIt() {
    try (ModelBundle old = ModelBundle.open(bundle)) {
      StoredStrategy tower = old.strategy("two-tower");
      new BundleWriter()
          .strategy(tower.name(), tower.type(), tower.configJson(), tower.tensors().all())
          .policy("policy-4", "{}", List.of())
          .users(old.users())
          .items(old.items())
          .write(bundle);
      assertSample(old);
      try (ModelBundle replaced = ModelBundle.open(bundle)) {
        assertThat(replaced.policy().orElseThrow().version()).isEqualTo("policy-4");
        assertThat(replaced.strategy("two-tower").tensors().tensor("users").toFloats())
            .containsExactly(1, 2, 3, 4);
      }
    }
    assertThat(folder.toFile().list()).containsExactly("model");
  }

  @Test
  void closedBundlesGiveNoTensors() {
    ModelBundle read = ModelBundle.open(bundle);
    TensorSource users = read.strategy("two-tower").tensors().tensor("users");
    read.close();
    read.close();
    assertThatThrownBy(users::toFloats).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void everyTruncationOfEveryFileIsRefused() throws IOException {
    for (Map.Entry<String, byte[]> file : bytes(bundle).entrySet()) {
      Path path = bundle.resolve(file.getKey());
      for (int size = 0; size < file.getValue().length; size++) {
        Files.write(path, Arrays.copyOf(file.getValue(), size));
        assertRefused("%s cut to %d bytes".formatted(file.getKey(), size));
      }
      Files.write(path, file.getValue());
    }
    ModelBundle.open(bundle).close();
  }

  @Test
  void everyByteOfEveryFileCounts() throws IOException {
    Random random = new Random(11);
    for (Map.Entry<String, byte[]> file : bytes(bundle).entrySet()) {
      Path path = bundle.resolve(file.getKey());
      for (int at = 0; at < file.getValue().length; at++) {
        byte[] flipped = file.getValue().clone();
        int bit = random.nextInt(8);
        flipped[at] ^= (byte) (1 << bit);
        Files.write(path, flipped);
        assertRefused("%s with bit %d of byte %d flipped".formatted(file.getKey(), bit, at));
      }
      Files.write(path, new byte[file.getValue().length]);
      if (file.getValue().length > 0) {
        assertRefused(file.getKey() + " zeroed");
      }
      Files.write(path, Arrays.copyOf(file.getValue(), file.getValue().length + 1));
      assertRefused(file.getKey() + " with a byte more");
      Files.delete(path);
      assertRefused(file.getKey() + " missing");
      Files.createDirectory(path);
      assertRefused(file.getKey() + " a folder");
      Files.delete(path);
      Path elsewhere = Files.write(folder.resolve("elsewhere"), file.getValue());
      Files.createSymbolicLink(path, elsewhere);
      assertRefused(file.getKey() + " a symbolic link to the right content");
      Files.delete(path);
      Files.write(path, file.getValue());
    }
    ModelBundle.open(bundle).close();
  }

  @Test
  void bundleOfZerosIsRefused() throws IOException {
    for (Map.Entry<String, byte[]> file : bytes(bundle).entrySet()) {
      Files.write(bundle.resolve(file.getKey()), new byte[file.getValue().length]);
    }
    assertRefused("zeros");
    for (String file : bytes(bundle).keySet()) {
      Files.write(bundle.resolve(file), new byte[0]);
    }
    assertRefused("empty files");
  }

  @Test
  void whatTheManifestDoesNotListIsRefused() throws IOException {
    for (String extra : List.of("extra.txt", "strategies/als.safetensors", "documents/.hidden")) {
      Path path = Files.writeString(bundle.resolve(extra), "x");
      assertThatThrownBy(() -> ModelBundle.open(bundle))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(path.toString())
          .hasMessageContaining("remove it");
      Files.delete(path);
    }
    Files.createDirectory(bundle.resolve("more"));
    assertRefused("an empty folder more");
  }

  @Test
  void linkedFoldersInsideAreRefusedButTheBundleItselfMayBeLinked() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("current"), bundle);
    try (ModelBundle read = ModelBundle.open(link)) {
      assertSample(read);
    }
    Path moved = folder.resolve("moved");
    Files.move(bundle.resolve("strategies"), moved);
    Files.createSymbolicLink(bundle.resolve("strategies"), moved);
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is not a folder");
  }

  @Test
  void whatIsNoBundleIsNamed() throws IOException {
    Path nowhere = folder.resolve("nowhere");
    assertThatThrownBy(() -> ModelBundle.open(nowhere))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(nowhere + ": there is no such model bundle");
    Files.createDirectory(folder.resolve(".nowhere.old-1"));
    assertThatThrownBy(() -> ModelBundle.open(nowhere))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("version before lies in")
        .hasMessageContaining(".nowhere.old-1");
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(() -> ModelBundle.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is not a folder");
    assertThatThrownBy(() -> ModelBundle.open(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has no manifest.json");
  }

  @Test
  void newerFormatsAreRefusedWithTheWayOut() throws IOException {
    editManifest(text -> text.replace("\"formatVersion\": 1", "\"formatVersion\": 7, \"x\": 1"));
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("written by format 7, this engine reads up to 2: upgrade");
    Files.delete(bundle.resolve("manifest.sha256"));
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("written by format 7, this engine reads up to 2: upgrade");
  }

  /** Manifests whose own checksum is right; ' stands for ". */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "'formatVersion': 1 | 'formatVersion': 0 | formatVersion must be >= 1",
        "'formatVersion': 1 | 'formatVersion': '1' | whole number",
        "'formatVersion': 1 | 'formatVersion': 1.0 | whole number",
        "'formatVersion': 1 | 'formatVersion': -1 | whole number",
        "'formatVersion': 1, | ~~ | 'formatVersion' is missing",
        "'formatVersion': 1 | 'formatVersion': 1, 'formatVersion': 1 | twice in one object",
        "'formatVersion': 1 | 'formatVersion': 1, 'x': 1 | unknown field 'x'",
        "'engineVersion': '0.1.0' | 'engineVersion': '' | engineVersion must be",
        "2026-11-24T00:00:00Z | yesterday | created is not a time",
        "'name': 'two-tower' | 'name': '../two-tower' | must be 1 to 64 of a-z",
        "'name': 'two-tower' | 'name': '/etc/passwd' | must be 1 to 64 of a-z",
        "'name': 'two-tower' | 'name': '..' | must be 1 to 64 of a-z",
        "'name': 'two-tower' | 'name': 'a\\\\b' | must be 1 to 64 of a-z",
        "'name': 'two-tower' | 'name': 'popularity' | file must be strategies/popularity",
        "'name': 'two-tower' | 'name': 7 | 'name' must be a string",
        "strategies/two-tower.safetensors | ../../../etc/passwd | file must be strategies/two-tower",
        "strategies/two-tower.safetensors | strategies/../policy.safetensors | file must be",
        "'file': 'users.ids' | 'file': 'items.ids' | file must be users.ids",
        "'file': 'policy.safetensors' | 'file': '/dev/zero' | file must be policy.safetensors",
        "documents/titles.json | documents/../../x | file must be documents/titles.json",
        "'name': 'titles.json' | 'name': 'empty' | file must be documents/empty",
        "'count': 2 | 'count': 3 | has 2 ids but the manifest counts 3",
        "'count': 2 | 'count': 9223372036854775808 | whole number",
        "'type': 'F16' | 'type': 'BF16' | 'BF16' cannot be used",
        "'type': 'F16' | 'type': 'I8' | but the manifest lists",
        "'name': 'half' | 'name': 'fall' | but the manifest lists",
        "'type': 'TwoTower' | 'type': 'Two\\nTower' | on one line",
        "'config': {} | 'config': [] | 'config' must be an object",
        "'config': {} | 'config': {'a': 1, 'a': 2} | 'a' is there twice",
        "'seed': '42' | 'seed': 42 | 'seed' must be a string",
        "'documents': [ | 'documents': [7, | array of objects",
      })
  void hostileManifests(String from, String to, String message) throws IOException {
    editManifest(
        text -> {
          assertThat(text).contains(from.replace('\'', '"'));
          return text.replaceFirst(
              Pattern.quote(from.replace('\'', '"')),
              Matcher.quoteReplacement(to.replace('\'', '"')));
        });
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(bundle.toString())
        .hasMessageContaining(message);
  }

  @Test
  void wrongChecksumsAreNamed() throws IOException {
    editManifest(text -> text.replaceAll("\"sha256\": \"[0-9a-f]", "\"sha256\": \"z"));
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("64 hexadecimal digits");
    sample().write(bundle);
    editManifest(
        text -> text.replaceFirst("\"sha256\": \"[0-9a-f]{64}", "\"sha256\": \"" + "0".repeat(64)));
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two-tower.safetensors: does not have the checksum");
  }

  @Test
  void mutatedManifestsWithRightChecksumNeverEscape() throws IOException {
    String text = Files.readString(bundle.resolve("manifest.json"));
    String alphabet = "{}[]:,\"\\0123456789-.eEnulltrue/ \u0000";
    int refused = 0;
    for (int seed = 0; seed < 3_000; seed++) {
      Random random = new Random(seed);
      StringBuilder mutated = new StringBuilder(text);
      for (int i = 1 + random.nextInt(3); i > 0; i--) {
        char c = alphabet.charAt(random.nextInt(alphabet.length()));
        int at = random.nextInt(mutated.length());
        switch (random.nextInt(3)) {
          case 0 -> mutated.setCharAt(at, c);
          case 1 -> mutated.insert(at, c);
          default -> mutated.delete(at, Math.min(mutated.length(), at + random.nextInt(30)));
        }
      }
      editManifest(ignored -> mutated.toString());
      try {
        ModelBundle.open(bundle).close();
      } catch (InvalidInputException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
    assertThat(refused).isBetween(2_000, 2_999);
  }

  @Test
  void deepOrNoJsonInTheManifestIsRefused() throws IOException {
    for (String text :
        List.of("", "7", "[]", "{", "nul", "[".repeat(100_000), "{\"a\":".repeat(99_999))) {
      editManifest(ignored -> text);
      assertRefused("manifest " + Text.quote(text));
    }
  }

  @Test
  void hostileTensorFilesWithRightChecksumAreRefused() throws IOException {
    Path file = bundle.resolve("strategies/popularity.safetensors");
    byte[] tensors = Files.readAllBytes(file);
    String before = sha256(tensors);
    String text = new String(tensors, ISO_8859_1);
    byte[] hostile =
        text.replace("\"I64\",\"shape\":[1]", "\"I16\",\"shape\":[4]").getBytes(ISO_8859_1);
    assertThat(hostile).isNotEqualTo(tensors);
    Files.write(file, hostile);
    editManifest(manifest -> manifest.replace(before, sha256(hostile)));
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("popularity.safetensors: tensor 'counts'")
        .hasMessageContaining("'I16' cannot be used");
  }

  private void assertRefused(String what) {
    assertThatThrownBy(() -> ModelBundle.open(bundle))
        .as(what)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(bundle.toString());
  }

  /** Changes the manifest and gives it the right checksum. */
  private void editManifest(UnaryOperator<String> edit) throws IOException {
    Path file = bundle.resolve("manifest.json");
    byte[] edited = edit.apply(Files.readString(file)).getBytes(UTF_8);
    Files.write(file, edited);
    Files.writeString(bundle.resolve("manifest.sha256"), sha256(edited) + "  manifest.json\n");
  }

  private static String sha256(byte[] bytes) {
    return AtomicFiles.digest(ByteBuffer.wrap(bytes)).sha256();
  }

  private static Map<String, byte[]> bytes(Path directory) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        files.put(directory.relativize(path).toString(), Files.readAllBytes(path));
      }
    }
    return files;
  }

  /** The files of a directory as text, to be compared. */
  static Map<String, List<Byte>> content(Path directory) throws IOException {
    Map<String, List<Byte>> files = new TreeMap<>();
    bytes(directory)
        .forEach(
            (name, bytes) -> {
              List<Byte> boxed = new ArrayList<>(bytes.length);
              for (byte b : bytes) {
                boxed.add(b);
              }
              files.put(name, boxed);
            });
    return files;
  }
}
