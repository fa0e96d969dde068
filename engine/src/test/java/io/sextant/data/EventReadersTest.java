package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("StringConcatToTextBlock") // Tabs and line ends are part of what is tested.
class EventReadersTest {

  @TempDir Path folder;

  static RecordingSink read(EventFormat format, ColumnMapping mapping, byte[] content) {
    return read(format, mapping, new ByteArrayInputStream(content));
  }

  static RecordingSink read(EventFormat format, ColumnMapping mapping, InputStream in) {
    RecordingSink sink = new RecordingSink();
    EventReaders.of(
            "f.txt",
            format,
            mapping,
            () -> new LineReader(in, "f.txt", mapping.charset(), mapping.maxLineBytes()))
        .read(sink);
    return sink;
  }

  private static RecordingSink read(EventFormat format, String content) {
    return read(format, ColumnMapping.DEFAULT, content.getBytes(StandardCharsets.UTF_8));
  }

  private static RecordingSink read(EventFormat format, String columns, String content) {
    return read(format, ColumnMapping.parse(columns), content.getBytes(StandardCharsets.UTF_8));
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
      EventFormat format, String content) {
    return assertThatThrownBy(() -> read(format, content))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("f.txt");
  }

  // ---- what is read

  @Test
  void csvByUsualNames() {
    RecordingSink sink =
        read(
            EventFormat.CSV,
            "\uFEFFuserId,timestamp,Item_ID,rating\r\n"
                + "1,1365029107,\"a,b\",7\r\n\r\n2,1365029108,\"say \"\"x\"\"\",\r\n");
    assertThat(sink.brief()).containsExactly("1>a,b@1365029107000", "2>say \"x\"@1365029108000");
    assertThat(sink.events.get(0).event().type()).isEqualTo(EventType.RATING);
    assertThat(sink.events.get(0).event().value()).isEqualTo(7);
    assertThat(sink.events.get(1).event().value()).isNaN();
    assertThat(sink.events.get(1).line()).isEqualTo(4);
    assertThat(sink.notes).anyMatch(note -> note.contains("seconds since 1970"));
    assertThat(sink.rejected).isEmpty();
  }

  @Test
  void csvRecordsMayGoOverLines() {
    RecordingSink sink = read(EventFormat.CSV, "user,item\n1,\"a\nb\"\n2,c\n");
    assertThat(sink.brief()).containsExactly("1>a\nb", "2>c");
    assertThat(sink.events.get(1).line()).isEqualTo(4);
  }

  @Test
  void csvAStrayQuoteCostsOneRow() {
    RecordingSink sink =
        read(EventFormat.CSV, "user,item\n1,a\n2,\"b\n3,c\n4,d\"x\n5,\"e\"y\n6,f\n");
    assertThat(sink.brief()).contains("1>a", "3>c", "6>f");
    assertThat(sink.reasons()).containsOnly(RejectReason.MALFORMED_ROW);
    assertThat(sink.rejected.get(0).line()).isEqualTo(3);
    assertThat(sink.rejected.get(0).row()).isEqualTo("2,\"b");
    assertThat(sink.events.size() + sink.rejected.size()).isEqualTo(6);
  }

  @Test
  void csvRandomRowsComeBackAsTheyWere() {
    for (long seed = 1; seed <= 100; seed++) {
      Random random = new Random(seed);
      StringBuilder text = new StringBuilder("user,other,item\n");
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        String user = field(random);
        String item = field(random);
        text.append(quote(user)).append(',').append(quote(field(random))).append(',');
        text.append(quote(item)).append(random.nextBoolean() ? "\n" : "\r\n");
        expected.add(user + ">" + item);
      }
      RecordingSink sink = read(EventFormat.CSV, text.toString());
      assertThat(sink.brief()).as("seed %d:%n%s", seed, text).isEqualTo(expected);
    }
  }

  private static String field(Random random) {
    StringBuilder field = new StringBuilder("x");
    for (int i = random.nextInt(6); i > 0; i--) {
      field.append("a\",\n é;".charAt(random.nextInt(7)));
    }
    return field.append('y').toString();
  }

  private static String quote(String field) {
    return "\"" + field.replace("\"", "\"\"") + "\"";
  }

  @Test
  void everyFieldOfAnEvent() {
    RecordingSink sink =
        read(
            EventFormat.CSV,
            "user=u,item=i,time=t,type=what,value=v,dwell=d,device=dev,position=p,source=s",
            "u,i,t,what,v,d,dev,p,s\nA,B,2020-01-01,Purchase,9.5,3.5,phone,4,mail\n"
                + "A,B,2020-01-01,view,,,,,\n");
    var event = sink.events.get(0).event();
    assertThat(event.type()).isEqualTo(EventType.PURCHASE);
    assertThat(event.value()).isEqualTo(9.5f);
    assertThat(event.timeMillis()).isEqualTo(1577836800000L);
    assertThat(event.features()).isEqualTo(new InteractionFeatures(3.5f, 4, "phone", "mail"));
    assertThat(sink.events.get(1).event().features()).isEqualTo(InteractionFeatures.UNKNOWN);
  }

  @Test
  void tsvWithTypedHeaderDoesNotTouchQuotes() {
    RecordingSink sink =
        read(
            EventFormat.TSV,
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
                + "196\t\"x\t3\t881250949\n");
    assertThat(sink.brief()).containsExactly("196>\"x@881250949000");
  }

  @Test
  void columnsByNumberMeanNoHeader() {
    RecordingSink sink =
        read(
            EventFormat.CSV,
            "user=0,item=1,type=3,time=4",
            "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,fav,1511561733\n");
    assertThat(sink.brief()).containsExactly("1>2268318@1511544070000", "1>2333346@1511561733000");
    assertThat(sink.events.get(1).event().type()).isEqualTo(EventType.CART);
  }

  @Test
  void aHeaderThatIsThereAllTheSameIsSkipped() {
    RecordingSink sink = read(EventFormat.TSV, "user=0,item=1", "user_id\tmovie_id\n1\t2\n");
    assertThat(sink.brief()).containsExactly("1>2");
    assertThat(read(EventFormat.PAIRS, "org_id remap_id\n1 2\n").brief()).hasSize(2);
    assertThat(read(EventFormat.PAIRS, "user_id movie_id\n1 2\n").brief()).containsExactly("1>2");
  }

  @Test
  void aNameInTheHeaderGoesBeforeANumber() {
    assertThat(read(EventFormat.CSV, "user=a,item=1", "1,a,b\nx,y,z\n").brief())
        .containsExactly("y>x");
    assertThat(read(EventFormat.CSV, "user=a,item=0", "1,a,b\nx,y,z\n").brief())
        .containsExactly("y>x");
  }

  @Test
  void movielens() {
    RecordingSink sink =
        read(EventFormat.MOVIELENS, "1::1074638::7::1365029107\n2::0104257::8::1364690142\n");
    assertThat(sink.brief()).containsExactly("1>1074638@1365029107000", "2>0104257@1364690142000");
    assertThat(sink.events.get(0).event().value()).isEqualTo(7);
    assertThat(read(EventFormat.MOVIELENS, "1::5\n2::6\n").brief()).containsExactly("1>5", "2>6");
  }

  @Test
  void pairsAndLists() {
    assertThat(read(EventFormat.PAIRS, "0 5\n0\t6\r\n  1   7  \n\n").brief())
        .containsExactly("0>5", "0>6", "1>7");
    RecordingSink lists = read(EventFormat.LISTS, "0 5 6 5\n1 7\n2\n");
    assertThat(lists.brief()).containsExactly("0>5", "0>6", "0>5", "1>7");
    assertThat(lists.reasons()).containsExactly(RejectReason.MISSING_ITEM);
    assertThat(lists.events.get(0).event().type()).isEqualTo(EventType.CLICK);
    assertThat(
            read(
                    EventFormat.LISTS,
                    ColumnMapping.builder().defaultType(EventType.PURCHASE).build(),
                    "0 5".getBytes(StandardCharsets.UTF_8))
                .events
                .get(0)
                .event()
                .type())
        .isEqualTo(EventType.PURCHASE);
  }

  @Test
  void anotherSeparatorAndAnotherCharset() {
    ColumnMapping mapping =
        ColumnMapping.builder()
            .separator(";")
            .charset(StandardCharsets.ISO_8859_1)
            .timeFormat(TimeFormat.MILLISECONDS)
            .build();
    RecordingSink sink =
        read(
            EventFormat.CSV,
            mapping,
            "user;item;ts\nJosé;a;1500\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(sink.brief()).containsExactly("José>a@1500");
  }

  @Test
  void timeUnitIsFoundFromTheFirstRowsAndKeepsTheOrder() {
    StringBuilder text = new StringBuilder("user,item,time\n");
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      long time = i == 0 ? 0 : 1365029107000L + i;
      text.append("u,i").append(i).append(',').append(time).append('\n');
      expected.add("u>i" + i + "@" + time);
    }
    assertThat(read(EventFormat.CSV, text.toString()).brief()).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(EventFormat.class)
  void gzipIsReadTransparently(EventFormat format) throws IOException {
    String content =
        switch (format) {
          case CSV -> "user,item\n1,2\n";
          case TSV -> "user\titem\n1\t2\n";
          case MOVIELENS -> "1::2\n";
          case PAIRS, LISTS -> "1 2\n";
        };
    Path file = Files.write(folder.resolve("events.gz"), gzip(content));
    RecordingSink sink = new RecordingSink();
    EventReader reader = EventReaders.open(file, format, ColumnMapping.DEFAULT);
    reader.read(sink);
    assertThat(sink.brief()).containsExactly("1>2");
    RecordingSink again = new RecordingSink();
    reader.read(again);
    assertThat(again.brief()).containsExactly("1>2");
  }

  private static byte[] gzip(String content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(content.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  // ---- rows that are rejected

  @Test
  void rowsThatAreNoEventsAreRejectedWithTheirLine() {
    RecordingSink sink =
        read(
            EventFormat.CSV,
            "user,item,time,type,value,dwell,position\n"
                + ",i,1365029107,view,1,1,1\n"
                + "u,,1365029107,view,1,1,1\n"
                + "u,i,later,view,1,1,1\n"
                + "u,i,,view,1,1,1\n"
                + "u,i,1365029107,stare,1,1,1\n"
                + "u,i,1365029107,view,many,1,1\n"
                + "u,i,1365029107,view,NaN,1,1\n"
                + "u,i,1365029107,view,-Infinity,1,1\n"
                + "u,i,1365029107,view,1e99,1,1\n"
                + "u,i,1365029107,view,1,-1,1\n"
                + "u,i,1365029107,view,1,1,1.5\n"
                + "u,i,1365029107\n"
                + "u,i,1365029107,view,1,1,1,1\n"
                + "u\0,i,1365029107,view,1,1,1\n"
                + "u,i,1365029107,view,1,1,1\n");
    assertThat(sink.reasons())
        .containsExactlyInAnyOrder(
            RejectReason.MISSING_USER,
            RejectReason.MISSING_ITEM,
            RejectReason.UNREADABLE_TIME,
            RejectReason.UNREADABLE_TIME,
            RejectReason.UNKNOWN_TYPE,
            RejectReason.UNREADABLE_VALUE,
            RejectReason.NON_FINITE_VALUE,
            RejectReason.NON_FINITE_VALUE,
            RejectReason.NON_FINITE_VALUE,
            RejectReason.INVALID_FEATURE,
            RejectReason.INVALID_FEATURE,
            RejectReason.MALFORMED_ROW,
            RejectReason.MALFORMED_ROW,
            RejectReason.MALFORMED_ROW);
    assertThat(sink.brief()).hasSize(1);
    assertThat(sink.events.get(0).line()).isEqualTo(16);
    assertThat(sink.rejected)
        .anySatisfy(
            row -> {
              assertThat(row.line()).isEqualTo(6);
              assertThat(row.detail()).contains("'stare'");
              assertThat(row.row()).isEqualTo("u,i,1365029107,stare,1,1,1");
            });
  }

  // ---- bad input

  @ParameterizedTest
  @EnumSource(EventFormat.class)
  void emptyFile(EventFormat format) {
    assertRefused(format, "").hasMessageContaining("empty");
    assertRefused(format, "\n\r\n  \n").hasMessageContaining("empty");
  }

  @Test
  void headerWithoutRows() {
    assertRefused(EventFormat.CSV, "user,item\n").hasMessageContaining("no rows");
    assertRefused(EventFormat.PAIRS, "user item\n").hasMessageContaining("no rows");
  }

  @Test
  void missingColumnListsTheColumnsAndSuggests() {
    assertRefused(EventFormat.CSV, "usr,item,when\n1,2,3\n")
        .hasMessageContaining("line 1")
        .hasMessageContaining("no user column")
        .hasMessageContaining("usr, item, when")
        .hasMessageContaining("Did you mean 'usr'?");
    assertThatThrownBy(() -> read(EventFormat.CSV, "user=uid,item=itm", "uid,item,when\n1,2,3\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no column 'itm'")
        .hasMessageContaining("uid, item, when")
        .hasMessageContaining("Did you mean 'item'?");
    assertRefused(EventFormat.CSV, "1,2,3\n4,5,6\n").hasMessageContaining("user=0,item=1");
  }

  @Test
  void wrongDelimiterNamesTheRightOne() {
    assertRefused(EventFormat.CSV, "user\titem\n1\t2\n")
        .hasMessageContaining("line 1")
        .hasMessageContaining("a tab")
        .hasMessageContaining("format tsv");
    assertRefused(EventFormat.CSV, "user;item\n1;2\n").hasMessageContaining("';'");
    assertRefused(EventFormat.TSV, "user,item\n1,2\n").hasMessageContaining("format csv");
    assertRefused(EventFormat.CSV, "1::2::3::4\n").hasMessageContaining("format movielens");
    assertRefused(EventFormat.MOVIELENS, "1\t2\t3\t4\n").hasMessageContaining("a tab");
    assertRefused(EventFormat.PAIRS, "1,2\n").hasMessageContaining("','");
    assertRefused(EventFormat.PAIRS, "1 2 3\n").hasMessageContaining("lists");
    assertThatThrownBy(() -> read(EventFormat.CSV, "user=0,item=1", "1\t2\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a tab");
  }

  @Test
  void aTypedHeaderIsNotTakenForColons() {
    assertRefused(EventFormat.CSV, "user_id:token\titem_id:token\n1\t2\n")
        .hasMessageContaining("a tab");
  }

  @Test
  void notUtf8NamesTheLineAndTheWayOut() {
    assertThatThrownBy(
            () ->
                read(
                    EventFormat.CSV,
                    ColumnMapping.DEFAULT,
                    "user,item\n1,2\nJosé,3\n".getBytes(StandardCharsets.ISO_8859_1)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("f.txt, line 3")
        .hasMessageContaining("UTF-8")
        .hasMessageContaining("iconv");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-16BE"})
  void utf16(String charset) {
    assertThatThrownBy(
            () ->
                read(
                    EventFormat.CSV,
                    ColumnMapping.DEFAULT,
                    "user,item\n1,2\n".getBytes(Charset.forName(charset))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("UTF-16");
    assertThatThrownBy(() -> ColumnMapping.builder().charset(Charset.forName(charset)).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("iconv");
  }

  /** Gives so many bytes 'a' behind a head and counts how many were taken. */
  private static final class Endless extends InputStream {

    private final byte[] head;
    private final long length;
    private long given;

    Endless(String head, long length) {
      this.head = head.getBytes(StandardCharsets.UTF_8);
      this.length = length;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0];
    }

    @Override
    public int read(byte[] target, int offset, int count) {
      if (given >= length) {
        return -1;
      }
      int now = (int) Math.min(count, length - given);
      for (int i = 0; i < now; i++) {
        target[offset + i] = given + i < head.length ? head[(int) given + i] : (byte) 'a';
      }
      given += now;
      return now;
    }
  }

  @ParameterizedTest
  @EnumSource(EventFormat.class)
  void aLineOfOneGigabyteIsRefusedAfterTheLimit(EventFormat format) {
    boolean words = format == EventFormat.PAIRS || format == EventFormat.LISTS;
    Endless endless = new Endless(words ? "user item\n1 " : "user,item\n1,", 1L << 30);
    ColumnMapping mapping =
        words
            ? ColumnMapping.DEFAULT
            : ColumnMapping.builder().separator(",").columns("user=0,item=1").build();
    assertThatThrownBy(() -> read(format, mapping, endless))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("f.txt, line 2 is longer than 16777216 bytes");
    assertThat(endless.given).isLessThan((16 << 20) + (1 << 17));
  }

  @Test
  void theLimitOfALineIsExact() {
    ColumnMapping ten = ColumnMapping.builder().maxLineBytes(10).build();
    byte[] fits = "user,item\n12345,7890\n".getBytes(StandardCharsets.UTF_8);
    assertThat(read(EventFormat.CSV, ten, fits).brief()).containsExactly("12345>7890");
    byte[] tooLong = "user,item\n12345,78901\n".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> read(EventFormat.CSV, ten, tooLong))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("line 2 is longer than 10 bytes");
  }

  @Test
  void nulBytes() {
    assertRefused(EventFormat.CSV, "\0\0\0\0\n\0\0\n").hasMessageContaining("NUL");
    RecordingSink sink = read(EventFormat.CSV, "user,item\n1,2\n\0\0\0,\0\n3,4\n");
    assertThat(sink.brief()).containsExactly("1>2", "3>4");
    assertThat(sink.reasons()).containsExactly(RejectReason.MALFORMED_ROW);
    RecordingSink hole = read(EventFormat.PAIRS, "1 2\n\0\0\0\0\0\n3 4\n");
    assertThat(hole.brief()).containsExactly("1>2", "3>4");
    assertThat(hole.reasons()).containsExactly(RejectReason.MALFORMED_ROW);
  }

  @Test
  void truncatedAndDamagedGzip() throws IOException {
    StringBuilder text = new StringBuilder("user,item\n");
    Random random = new Random(3);
    for (int i = 0; i < 20_000; i++) {
      text.append(random.nextInt()).append(',').append(random.nextInt()).append('\n');
    }
    byte[] whole = gzip(text.toString());
    for (int length : new int[] {3, 9, 500, whole.length / 2, whole.length - 9, whole.length - 1}) {
      assertThatThrownBy(
              () -> read(EventFormat.CSV, ColumnMapping.DEFAULT, Arrays.copyOf(whole, length)))
          .as("length %d", length)
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("f.txt is cut off");
    }
    byte[] damaged = whole.clone();
    for (int i = 1000; i < 1100; i++) {
      damaged[i] ^= 0x55;
    }
    assertThatThrownBy(() -> read(EventFormat.CSV, ColumnMapping.DEFAULT, damaged))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("f.txt");
  }

  @Test
  void directoryAndMissingFile() {
    assertThatThrownBy(() -> EventReaders.open(folder, EventFormat.CSV, ColumnMapping.DEFAULT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is a directory");
    Path missing = folder.resolve("no.csv");
    assertThatThrownBy(() -> EventReaders.open(missing, EventFormat.CSV, ColumnMapping.DEFAULT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no.csv does not exist");
  }

  @Test
  void unreadableFile() throws IOException {
    Path file = Files.writeString(folder.resolve("secret.csv"), "user,item\n1,2\n");
    assumeTrue(file.toFile().setReadable(false, false), "the file system has no permissions");
    assumeFalse(Files.isReadable(file), "this user may read every file");
    assertThatThrownBy(() -> EventReaders.open(file, EventFormat.CSV, ColumnMapping.DEFAULT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("may not be read");
  }

  @Test
  void aDeviceErrorNamesFileAndLine() {
    InputStream failing =
        new InputStream() {
          private final byte[] head = "user,item\n1,2\n".getBytes(StandardCharsets.UTF_8);
          private int at;

          @Override
          public int read() throws IOException {
            if (at == head.length) {
              throw new IOException("Input/output error");
            }
            return head[at++];
          }

          // One byte at a time, so that the failure comes between lines.
          @Override
          public int read(byte[] target, int offset, int length) throws IOException {
            target[offset] = (byte) read();
            return 1;
          }
        };
    assertThatThrownBy(() -> read(EventFormat.CSV, ColumnMapping.DEFAULT, failing))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("f.txt cannot be read after line 2")
        .hasMessageContaining("Input/output error");
  }

  @Test
  void aMappingThatCannotBe() {
    for (String text : List.of("", "user", "usr=1", "user=", "user=a,,")) {
      assertThatThrownBy(() -> ColumnMapping.parse(text))
          .as(text)
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("column mapping");
    }
    assertThatThrownBy(() -> read(EventFormat.CSV, "item=1", "1,2\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("user=NUMBER");
    assertThatThrownBy(() -> read(EventFormat.LISTS, "user=0,item=1", "1 2\n"))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> read(EventFormat.MOVIELENS, "user=u,item=i", "1::2\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no header");
    assertThatThrownBy(() -> read(EventFormat.CSV, "user=0,item=99999999999", "1,2\n"))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> EventFormat.parse("xls"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("csv, tsv, movielens, pairs, lists")
        .hasMessageContaining("parquet and json");
    assertThat(EventFormat.parse("Lists")).isEqualTo(EventFormat.LISTS);
  }
}
