package io.sextant.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.sextant.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsHostileTest {

  /** Headers in front of 8 bytes of values; ' stands for ". */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'a':{'dtype':'BF16','shape':[4],'data_offsets':[0,8]}} | element type 'BF16' cannot be used",
        "{'a':{'dtype':'I16','shape':[4],'data_offsets':[0,8]}} | element type 'I16' cannot be used",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | needs 8 bytes but",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | begin <= end",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}} | begin <= end",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,16]}} | begin <= end",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[-8,0]}} | found '-8'",
        "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | found '-2'",
        "{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}} | found '2.0'",
        "{'a':{'dtype':'F32','shape':[2e0],'data_offsets':[0,8]}} | found '2e0'",
        "{'a':{'dtype':'F32','shape':['2'],'data_offsets':[0,8]}} | expected a whole number but found STRING",
        "{'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,8]}} | found '99999999999999999999'",
        "{'a':{'dtype':'F32','shape':[4611686018427387904,4],'data_offsets':[0,8]}} | larger than 2^63",
        "{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,8]}} | larger than 2^63",
        "{'a':{'dtype':'F32','shape':[4294967298],'data_offsets':[0,8]}} | needs 17179869192 bytes",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[9223372036854775803,9223372036854775807]}} | neither overlap nor leave a gap",
        "{'a':{'dtype':'F32','shape':2,'data_offsets':[0,8]}} | expected an array",
        "{'a':{'dtype':7,'shape':[2],'data_offsets':[0,8]}} | expected a string",
        "{'a':{'dtype':null,'shape':[2],'data_offsets':[0,8]}} | expected a string",
        "{'a':[]} | expected an object",
        "{'a':{'dtype':'F32','shape':[2]}} | needs dtype",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'x':1}} | unknown field",
        "{'a':{'dtype':'F32','dtype':'F32','shape':[2],'data_offsets':[0,8]}} | is there twice",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 'a' is there twice",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'\\u0061':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 'a' is there twice",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | neither overlap nor leave a gap",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | neither overlap nor leave a gap",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},'b':{'dtype':'U8','shape':[5],'data_offsets':[3,8]}} | neither overlap nor leave a gap",
        "{'a':{'dtype':'U8','shape':[7],'data_offsets':[1,8]}} | neither overlap nor leave a gap",
        "{'a':{'dtype':'U8','shape':[7],'data_offsets':[0,7]}} | too long",
        "{'a':{'dtype':'U8','shape':[9],'data_offsets':[0,9]}} | cut short",
        "{'a':{'dtype':'U8','shape':[0],'data_offsets':[3,3]},'b':{'dtype':'U8','shape':[8],'data_offsets':[0,8]}} | neither overlap nor leave a gap",
        "{} | too long",
        "{'':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | a tensor's name",
        "{'\\ud800':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | a tensor's name",
        "{'a\\n':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | a tensor's name",
        "{'__metadata__':{'k':1}} | expected a string",
        "{'__metadata__':[]} | an object of strings",
        "{'__metadata__':{'k':'1','k':'2'}} | 'k' is there twice",
        "{'__metadata__':{'k':'\\udfff'}} | surrogate",
        "{'__metadata__':{},'__metadata__':{}} | is there twice",
        "[] | does not begin with",
        "~ {}~ | does not begin with",
        "{'a' | not valid JSON",
        "{}{} | not valid JSON: Malformed JSON at line 1 column 4",
        "{}x | JSON",
        "{/* */} | not valid JSON",
        "{a:1} | not valid JSON",
        "{'a':{'dtype':'F32';'shape':[2]}} | not valid JSON",
        "{'a':NaN} | JSON",
        "{'a':{'dtype':'F32','shape':[2,],'data_offsets':[0,8]}} | JSON",
        "{'a':{'dtype':'F32','shape':[02],'data_offsets':[0,8]}} | JSON",
        "{'a':{'dtype':'F\\x32'}} | JSON",
      })
  void hostileHeaders(String header, String message) {
    byte[] file = file(header.replace('\'', '"').getBytes(UTF_8), 8);
    assertThatThrownBy(() -> SafetensorsHeader.read(new MemoryFile(file), "some/file"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("some/file: ")
        .hasMessageContaining(message.replace("\\n", ""));
  }

  @Test
  void deepNestingIsRefused() {
    for (int depth : new int[] {9, 1_000, 1_000_000}) {
      byte[] header = ("{\"a\":" + "[".repeat(depth)).getBytes(UTF_8);
      assertThatThrownBy(() -> SafetensorsHeader.parse(header, 0, "f"))
          .isInstanceOf(InvalidInputException.class);
      byte[] inside =
          ("{\"a\":{\"shape\":" + "[".repeat(depth) + "]".repeat(depth) + "}}").getBytes(UTF_8);
      assertThatThrownBy(() -> SafetensorsHeader.parse(inside, 0, "f"))
          .isInstanceOf(InvalidInputException.class);
    }
  }

  @Test
  void bytesThatAreNotUtf8AreRefused() {
    byte[] header =
        "{\"\u00ff\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
            .getBytes(ISO_8859_1);
    assertThatThrownBy(() -> SafetensorsHeader.parse(header, 8, "f"))
        .isInstanceOf(InvalidInputException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, 0, 1, 100_000_001, Long.MAX_VALUE, 3})
  void wrongHeaderLengthsAreRefused(long length) {
    byte[] file = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
    file[8] = '{';
    file[9] = '}';
    assertThatThrownBy(() -> SafetensorsHeader.read(new MemoryFile(file), "f"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("header's length is given as");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 8, 9, 100, 100_000})
  void zerosAreRefused(int size) {
    assertThatThrownBy(() -> SafetensorsHeader.read(new MemoryFile(new byte[size]), "f"))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void everyTruncationAndExtensionIsRefused() {
    byte[] whole = sample();
    for (int size = 0; size < whole.length; size++) {
      byte[] cut = Arrays.copyOf(whole, size);
      assertThatThrownBy(() -> SafetensorsHeader.read(new MemoryFile(cut), "f"))
          .as("cut to %d of %d bytes", size, whole.length)
          .isInstanceOf(InvalidInputException.class);
    }
    byte[] longer = Arrays.copyOf(whole, whole.length + 1);
    assertThatThrownBy(() -> SafetensorsHeader.read(new MemoryFile(longer), "f"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("too long");
  }

  @Test
  void mutationsNeverEscape() {
    byte[] whole = sample();
    long headerEnd = 8 + ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
    String alphabet = "{}[]:,\"\\u0123456789-+.eE truefalsnF32I64dtypshao_\u0000\u00ff";
    int refused = 0;
    for (int seed = 0; seed < 30_000; seed++) {
      Random random = new Random(seed);
      byte[] bytes = whole.clone();
      for (int i = 1 + random.nextInt(4); i > 0; i--) {
        int at = random.nextInt((int) headerEnd);
        if (random.nextBoolean()) {
          bytes[at] = (byte) alphabet.charAt(random.nextInt(alphabet.length()));
        } else {
          bytes[at] ^= (byte) (1 << random.nextInt(8));
        }
      }
      refused += accepts(bytes, "seed " + seed) ? 0 : 1;
    }
    // Most mutations of a header break it; some only rename a tensor.
    assertThat(refused).isBetween(15_000, 29_999);
  }

  @Test
  void randomGrammarNeverEscapes() {
    String[] tokens = {
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "\"a\"",
      "\"b\"",
      "\"dtype\"",
      "\"shape\"",
      "\"data_offsets\"",
      "\"F32\"",
      "\"BF16\"",
      "\"__metadata__\"",
      "0",
      "4",
      "-1",
      "9223372036854775807",
      "1e999",
      "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}",
      "null",
      "true",
      " ",
      "\"\\ud800\""
    };
    for (int seed = 0; seed < 30_000; seed++) {
      Random random = new Random(seed);
      StringBuilder text = new StringBuilder("{");
      for (int i = random.nextInt(14); i > 0; i--) {
        text.append(tokens[random.nextInt(tokens.length)]);
      }
      if (random.nextBoolean()) {
        text.append('}');
      }
      accepts(file(text.toString().getBytes(UTF_8), random.nextInt(3) * 4), "seed " + seed);
    }
  }

  /** Coverage-guided where Jazzer runs; in a normal build over the recorded inputs. */
  @FuzzTest
  void fuzz(byte[] file) {
    accepts(file, "fuzz");
  }

  /** Reads; whatever is accepted must be consistent, and refusals are of one kind. */
  private static boolean accepts(byte[] file, String what) {
    SafetensorsHeader header;
    try {
      header = SafetensorsHeader.read(new MemoryFile(file), "f");
    } catch (InvalidInputException e) {
      return false;
    } catch (IOException | RuntimeException | StackOverflowError e) {
      return fail(what + ": only InvalidInputException may come out", e);
    }
    long at = header.dataStart();
    for (SafetensorsHeader.Entry entry : header.entries()) {
      assertThat(header.dataStart() + entry.begin()).as(what).isEqualTo(at);
      at += entry.spec().bytes();
    }
    assertThat(at).as(what).isEqualTo(file.length);
    // What was read can be written, and read again as the same.
    List<TensorSpec> specs = header.entries().stream().map(SafetensorsHeader.Entry::spec).toList();
    try {
      ByteBuffer again = SafetensorsHeader.layOut(specs, header.metadata()).encode();
      byte[] second = new byte[(int) (again.remaining() + at - header.dataStart())];
      again.get(second, 0, again.remaining());
      SafetensorsHeader read = SafetensorsHeader.read(new MemoryFile(second), "f");
      assertThat(read.metadata()).as(what).isEqualTo(header.metadata());
      assertThat(read.entries().stream().map(SafetensorsHeader.Entry::spec))
          .as(what)
          .containsExactlyInAnyOrderElementsOf(specs);
    } catch (IOException e) {
      return fail(what, e);
    }
    return true;
  }

  private static byte[] sample() {
    return SafetensorsTest.write(
        List.of(
            TensorSource.of("a", new float[6], 2, 3),
            TensorSource.of("\u00e4\u63a8", new long[] {1}),
            TensorSource.of("empty", new int[0], 0, 5)),
        Map.of("step", "7"));
  }

  private static byte[] file(byte[] header, int dataBytes) {
    return ByteBuffer.allocate(8 + header.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .array();
  }
}
