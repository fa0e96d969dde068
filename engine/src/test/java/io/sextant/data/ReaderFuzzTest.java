package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.sextant.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/**
 * Whatever the bytes are, a reader gives events, rejections or an InvalidInputException: no other
 * exception, no endless loop, no row lost.
 */
class ReaderFuzzTest {

  private static final List<ColumnMapping> MAPPINGS =
      List.of(
          ColumnMapping.builder().maxLineBytes(1 << 16).build(),
          ColumnMapping.parse("user=0,item=1"),
          ColumnMapping.parse("user=1,item=0,time=2,type=3,value=4,dwell=5,position=6"),
          ColumnMapping.builder().separator(";").timeFormat(TimeFormat.ISO_8601).build());

  @FuzzTest
  void csv(byte[] data) {
    check(EventFormat.CSV, data);
  }

  @FuzzTest
  void tsv(byte[] data) {
    check(EventFormat.TSV, data);
  }

  @FuzzTest
  void movielens(byte[] data) {
    check(EventFormat.MOVIELENS, data);
  }

  @FuzzTest
  void pairs(byte[] data) {
    check(EventFormat.PAIRS, data);
  }

  @FuzzTest
  void lists(byte[] data) {
    check(EventFormat.LISTS, data);
  }

  @FuzzTest
  void features(byte[] data) {
    checkFeatures(data);
  }

  @Test
  void randomBytes() {
    for (long seed = 1; seed <= 400; seed++) {
      byte[] data = bytes(new Random(seed));
      try {
        for (EventFormat format : EventFormat.values()) {
          check(format, data);
        }
        checkFeatures(data);
      } catch (RuntimeException | AssertionError e) {
        fail("seed " + seed + ": " + e, e);
      }
    }
  }

  /** Noise, words that readers know, and both in a gzip stream that may be cut off. */
  private static byte[] bytes(Random random) {
    String[] words = {
      "user",
      "item",
      "time",
      "rating",
      "type",
      "user_id:token",
      "item_id:token",
      ",",
      ",",
      "\t",
      "\t",
      "::",
      "::",
      " ",
      ";",
      "\"",
      "\"\"",
      "\n",
      "\n",
      "\n",
      "\r\n",
      "\r",
      "1365029107",
      "-1",
      "NaN",
      "1e99",
      "2020-01-01",
      "view",
      "buy",
      "\0",
      "\uFEFF",
      "é",
      "1",
      "2",
      "a|b",
      "(1995)"
    };
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (random.nextBoolean()) {
      String separator = List.of(",", "\t", "::", " ", ";").get(random.nextInt(5));
      out.writeBytes(
          String.join(separator, "user", "item", "time", "type", "rating")
              .getBytes(StandardCharsets.UTF_8));
      out.write('\n');
    }
    boolean noise = random.nextInt(4) == 0;
    for (int i = random.nextInt(80); i > 0; i--) {
      if (noise && random.nextBoolean()) {
        out.write(random.nextInt(256));
      } else {
        out.writeBytes(words[random.nextInt(words.length)].getBytes(StandardCharsets.UTF_8));
      }
    }
    byte[] plain = out.toByteArray();
    if (random.nextInt(5) > 0) {
      return plain;
    }
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
      gzip.write(plain);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    byte[] whole = zipped.toByteArray();
    if (random.nextBoolean()) {
      whole[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return random.nextBoolean() ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole;
  }

  private static void check(EventFormat format, byte[] data) {
    for (ColumnMapping mapping : MAPPINGS) {
      RecordingSink sink;
      try {
        sink = EventReadersTest.read(format, mapping, data);
      } catch (InvalidInputException e) {
        assertThat(e).hasMessageContaining("f.txt");
        continue;
      }
      assertThat(sink.events.size() + sink.rejected.size()).isPositive();
      for (RecordingSink.Found found : sink.events) {
        assertThat(found.line()).isPositive();
        assertThat(found.event().userId()).isNotBlank().doesNotContain("\0");
        assertThat(found.event().value()).isNotIn(Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
      }
      try {
        CleaningResult result =
            new EventCleaner(CleaningOptions.builder().minItemEvents(2).build())
                .clean(
                    EventReaders.of(
                        "f.txt",
                        format,
                        mapping,
                        () ->
                            new LineReader(
                                new ByteArrayInputStream(data),
                                "f.txt",
                                mapping.charset(),
                                mapping.maxLineBytes())));
        assertThat(result.report().rowsRead()).isEqualTo(sink.events.size() + sink.rejected.size());
        assertThat(result.interactions().size()).isEqualTo((int) result.report().rowsKept());
      } catch (InvalidInputException e) {
        assertThat(e).hasMessageContaining("nothing is left");
      }
    }
  }

  private static void checkFeatures(byte[] data) {
    IdIndex ids = IdIndex.of(List.of("1", "2", "user", "view"));
    for (FeatureSpec spec :
        List.of(
            FeatureSpec.withHeader(","),
            FeatureSpec.withHeader("\t"),
            FeatureSpec.movielensMovies(),
            FeatureSpec.builder(",")
                .column("v", "1", FeatureSpec.Kind.DENSE_VECTOR, " ")
                .column("n", "2", FeatureSpec.Kind.NUMERIC)
                .build())) {
      try {
        FeatureTable table =
            FeatureReader.read(
                    new LineReader(
                        new ByteArrayInputStream(data),
                        "f.txt",
                        spec.charset(),
                        spec.maxLineBytes()),
                    ids,
                    spec)
                .table();
        assertThat(table.numRows()).isEqualTo(4);
      } catch (InvalidInputException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }
}
