package io.sextant.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.google.gson.Gson;
import io.sextant.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdLinesTest {

  @TempDir Path folder;

  @Test
  void format() throws IOException {
    assertThat(write(List.of("42", "a\nb", "\"\\", "ä推😀", "\ud800", "\u007f\u2028")))
        .isEqualTo(
            """
            "42"
            "a\\u000ab"
            "\\"\\\\"
            "ä推😀"
            "\\ud800"
            "\\u007f\\u2028"
            """);
    assertThat(write(List.of())).isEmpty();
  }

  @Test
  void everyStringRoundTripsAndGsonReadsTheSame() throws IOException {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      Set<String> unique = new LinkedHashSet<>();
      for (int i = random.nextInt(300); i > 0; i--) {
        unique.add(randomId(random));
      }
      List<String> ids = List.copyOf(unique);
      String text = write(ids);
      Path file = Files.writeString(folder.resolve("ids"), text);
      try (FileChannel channel = FileChannel.open(file)) {
        assertThat(IdLines.read(channel, "f")).as("seed %d", seed).isEqualTo(ids);
      }
      List<String> byGson = new ArrayList<>();
      text.lines().forEach(line -> byGson.add(new Gson().fromJson(line, String.class)));
      assertThat(byGson).as("seed %d", seed).isEqualTo(ids);
    }
  }

  @Test
  void allEscapesOfJsonAreRead() throws IOException {
    assertThat(
            IdLines.read(new StringReader("\"\\b\\f\\n\\r\\t\\/\\\"\\\\\\u00E4\\u00e4\"\n"), "f"))
        .containsExactly("\b\f\n\r\t/\"\\ää");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "42\n",
        "\"42\"",
        "\"42",
        "\"42\" \n",
        "\"42\"\r\n",
        "\"a\tb\"\n",
        "\"\"\n",
        "\n",
        "\"1\"\n\n",
        "\"1\"\n\"1\"\n",
        "\"1\"\n\"\\u0031\"\n",
        "\"\\x\"\n",
        "\"\\u12\"\n",
        "\"\\u00g0\"\n",
        "\"\\u\uff11\uff11\uff11\uff11\"\n",
        "\"\\",
        "\"\\u",
        "\u0000",
        "\"a\n\"\n"
      })
  void wrongLinesAreRefused(String text) {
    assertThatThrownBy(() -> IdLines.read(new StringReader(text), "some/users.ids"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("some/users.ids: line ")
        .hasMessageContaining("each line is one id as a JSON string");
  }

  @Test
  void otherEncodingsAreRefused() throws IOException {
    Path file = Files.write(folder.resolve("latin"), new byte[] {'"', (byte) 0xe4, '"', '\n'});
    try (FileChannel channel = FileChannel.open(file)) {
      assertThatThrownBy(() -> IdLines.read(channel, "f"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("not UTF-8");
    }
  }

  @Test
  void wrongIdsAreNotWritten() {
    assertThatThrownBy(() -> write(List.of("a", "")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item id number 1 (from 0) is empty");
    assertThatThrownBy(() -> write(List.of("a", "b", "a")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item id 'a' is there twice, the second time as number 2");
  }

  @Test
  void mutationsNeverEscape() throws IOException {
    String text = write(List.of("42", "a\nb", "\"\\", "ä推", "\ud800"));
    String alphabet = "\"\\\nu0dx\r\t\ud800é";
    for (int seed = 0; seed < 20_000; seed++) {
      Random random = new Random(seed);
      StringBuilder mutated = new StringBuilder(text);
      for (int i = 1 + random.nextInt(3); i > 0; i--) {
        char c = alphabet.charAt(random.nextInt(alphabet.length()));
        int at = random.nextInt(mutated.length());
        switch (random.nextInt(3)) {
          case 0 -> mutated.setCharAt(at, c);
          case 1 -> mutated.insert(at, c);
          default -> mutated.deleteCharAt(at);
        }
      }
      try {
        List<String> ids = IdLines.read(new StringReader(mutated.toString()), "f");
        assertThat(IdLines.read(new StringReader(write(ids)), "f"))
            .as("seed %d", seed)
            .isEqualTo(ids);
      } catch (InvalidInputException e) {
        assertThat(e).hasMessageStartingWith("f: ");
      } catch (RuntimeException e) {
        fail("seed " + seed, e);
      }
    }
  }

  private static String randomId(Random random) {
    StringBuilder id = new StringBuilder();
    for (int i = 1 + random.nextInt(8); i > 0; i--) {
      id.append((char) random.nextInt(random.nextBoolean() ? 128 : 65_536));
    }
    return id.toString();
  }

  private static String write(List<String> ids) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(IdLines.write(ids, "item", Channels.newChannel(out))).isEqualTo(ids.size());
    return out.toString(UTF_8);
  }
}
