package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import io.sextant.data.CleaningOptions.Duplicates;
import io.sextant.data.CleaningOptions.Normalization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventCleanerTest {

  private static final long T = 1_600_000_000_000L;

  @TempDir Path folder;

  private static Event event(String user, String item, EventType type, float value, long time) {
    return new Event(user, item, type, value, time, InteractionFeatures.UNKNOWN);
  }

  private static Event click(String user, String item, long time) {
    return Event.of(user, item, EventType.CLICK, time);
  }

  private static CleaningResult clean(CleaningOptions options, Event... events) {
    return clean(options, List.of(events));
  }

  private static CleaningResult clean(CleaningOptions options, List<Event> events) {
    return new EventCleaner(options).clean(EventReaders.of("test", events));
  }

  /** user>item@time for every row, in the order of the rows. */
  private static List<String> brief(Interactions interactions) {
    List<String> rows = new ArrayList<>();
    for (int row = 0; row < interactions.size(); row++) {
      rows.add(
          interactions.users().idOf(interactions.userAt(row))
              + ">"
              + interactions.items().idOf(interactions.itemAt(row))
              + (interactions.timeAt(row) == Event.NO_TIME
                  ? ""
                  : "@" + (interactions.timeAt(row) - T)));
    }
    return rows;
  }

  private static List<Float> values(Interactions interactions) {
    List<Float> values = new ArrayList<>();
    for (int row = 0; row < interactions.size(); row++) {
      values.add(interactions.valueAt(row));
    }
    return values;
  }

  @Test
  void keepsWhatIsRightAndOrdersIt() {
    CleaningResult result =
        clean(
            CleaningOptions.defaults(),
            event("b", "x", EventType.PURCHASE, 9, T + 5),
            click("a", "y", T + 3),
            click("b", "y", T + 1));
    assertThat(brief(result.interactions())).containsExactly("b>y@1", "b>x@5", "a>y@3");
    assertThat(result.interactions().weightAt(1)).isEqualTo(3f);
    assertThat(result.interactions().weightAt(0)).isEqualTo(1f);
    assertThat(result.interactions().typeAt(1)).isEqualTo(EventType.PURCHASE);
    assertThat(result.report().rowsRead()).isEqualTo(3);
    assertThat(result.report().rowsKept()).isEqualTo(3);
    assertThat(result.report().rejected()).isEmpty();
  }

  @Test
  void impossibleTimesAndValues() {
    CleaningOptions options =
        CleaningOptions.builder()
            .latest(Instant.ofEpochMilli(T))
            .minRating(3)
            .weight(EventType.CLICK, 0.5f)
            .build();
    CleaningResult result =
        clean(
            options,
            click("a", "negative", -1),
            click("a", "future", T + 1),
            click("a", "now", T),
            click("a", "epoch", 0),
            click("a", "never", Event.NO_TIME),
            event("a", "inf", EventType.CLICK, Float.POSITIVE_INFINITY, T),
            event("a", "low", EventType.RATING, 2.9f, T),
            event("a", "high", EventType.RATING, 3, T),
            event("a", "price", EventType.PURCHASE, 1, T),
            event("a\uD800", "lone", EventType.CLICK, 1, T));
    assertThat(result.report().rejected())
        .isEqualTo(
            Map.of(
                RejectReason.TIME_TOO_EARLY, 1L,
                RejectReason.TIME_IN_FUTURE, 1L,
                RejectReason.NON_FINITE_VALUE, 1L,
                RejectReason.VALUE_TOO_LOW, 1L,
                RejectReason.MALFORMED_ROW, 1L));
    Interactions left = result.interactions();
    assertThat(left.items().indexOf("negative")).isEqualTo(-1);
    assertThat(left.numItems()).isEqualTo(5);
    assertThat(left.itemAt(0)).isEqualTo(left.items().indexOf("never"));
    assertThat(left.weightAt(0)).isEqualTo(0.5f);
    assertThat(result.report().examples())
        .anySatisfy(
            row -> {
              assertThat(row.reason()).isEqualTo(RejectReason.TIME_TOO_EARLY);
              assertThat(row.source()).isEqualTo("test");
              assertThat(row.line()).isEqualTo(1);
              assertThat(row.row()).isEqualTo("a,negative,CLICK,-1");
            });
  }

  @Test
  void negativeTimesInAFile() throws IOException {
    Path file =
        Files.writeString(folder.resolve("e.csv"), "user,item,time\n1,2,-5\n1,3,1500000000\n");
    CleaningResult result =
        new EventCleaner(CleaningOptions.defaults())
            .clean(EventReaders.open(file, EventFormat.CSV, ColumnMapping.DEFAULT));
    assertThat(result.interactions().size()).isEqualTo(1);
    assertThat(result.report().rejected(RejectReason.TIME_TOO_EARLY)).isEqualTo(1);
    assertThat(result.report().examples().get(0).line()).isEqualTo(2);
    assertThat(result.report().summary())
        .contains("1 of 2 rows kept")
        .contains("line 2")
        .contains("seconds since 1970");
  }

  @Test
  void duplicatesOfEachKind() {
    List<Event> events =
        List.of(
            click("a", "x", T),
            click("a", "x", T),
            event("a", "x", EventType.CART, Float.NaN, T),
            click("a", "y", T),
            click("a", "x", T + 1),
            click("b", "x", T),
            click("c", "x", Event.NO_TIME),
            click("c", "x", Event.NO_TIME));
    Function<Duplicates, List<String>> kept =
        kind ->
            brief(clean(CleaningOptions.builder().duplicates(kind).build(), events).interactions());
    assertThat(kept.apply(Duplicates.KEEP_ALL)).hasSize(8);
    assertThat(kept.apply(Duplicates.SAME_EVENT))
        .containsExactly("a>x@0", "a>x@0", "a>y@0", "a>x@1", "b>x@0", "c>x", "c>x");
    assertThat(kept.apply(Duplicates.FIRST_OF_PAIR))
        .containsExactly("a>x@0", "a>y@0", "b>x@0", "c>x");
    assertThat(kept.apply(Duplicates.LAST_OF_PAIR))
        .containsExactly("a>y@0", "a>x@1", "b>x@0", "c>x");
  }

  @Test
  void duplicatesAgreeWithASetOfKeys() {
    for (long seed = 1; seed <= 40; seed++) {
      Random random = new Random(seed);
      List<Event> events = new ArrayList<>();
      Set<List<Object>> keys = new HashSet<>();
      Set<List<Object>> pairs = new HashSet<>();
      for (int i = 0; i < 300; i++) {
        Event event =
            Event.of(
                "u" + random.nextInt(5),
                "i" + random.nextInt(5),
                random.nextBoolean() ? EventType.VIEW : EventType.CLICK,
                T + random.nextInt(6));
        events.add(event);
        keys.add(List.of(event.userId(), event.itemId(), event.type(), event.timeMillis()));
        pairs.add(List.of(event.userId(), event.itemId()));
      }
      assertThat(clean(CleaningOptions.defaults(), events).report().rowsKept())
          .as("seed %d", seed)
          .isEqualTo(keys.size());
      for (Duplicates kind : List.of(Duplicates.FIRST_OF_PAIR, Duplicates.LAST_OF_PAIR)) {
        Interactions left =
            clean(CleaningOptions.builder().duplicates(kind).build(), events).interactions();
        assertThat(left.size()).as("seed %d", seed).isEqualTo(pairs.size());
        for (int row = 0; row < left.size(); row++) {
          String user = left.users().idOf(left.userAt(row));
          String item = left.items().idOf(left.itemAt(row));
          Comparator<Long> order = Comparator.naturalOrder();
          long expected =
              events.stream()
                  .filter(e -> e.userId().equals(user) && e.itemId().equals(item))
                  .map(Event::timeMillis)
                  .max(kind == Duplicates.LAST_OF_PAIR ? order : order.reversed())
                  .orElseThrow();
          assertThat(left.timeAt(row)).as("seed %d", seed).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void botsAreFoundByTheirFastestWindow() {
    CleaningOptions options =
        CleaningOptions.builder().maxEventsPerMinute(5).botWindow(Duration.ofMinutes(2)).build();
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      events.add(click("bot", "b" + i, T + i * 11_999L));
      // The eleventh comes exactly two minutes after the first: the window is half open.
      events.add(click("person", "p" + i, T + i * 12_000L));
      events.add(event("buyer", "o" + i, EventType.PURCHASE, 1, T));
      events.add(event("rater", "r" + i, EventType.RATING, 1, T));
    }
    events.add(event("bot", "late", EventType.PURCHASE, 1, T + 1_000_000_000));
    CleaningResult result = clean(options, events);
    assertThat(result.interactions().users().indexOf("bot")).isEqualTo(-1);
    assertThat(result.interactions().numUsers()).isEqualTo(3);
    assertThat(result.report().rejected()).isEqualTo(Map.of(RejectReason.BOT, 12L));
    CleaningOptions off =
        CleaningOptions.builder().maxEventsPerMinute(Double.POSITIVE_INFINITY).build();
    assertThat(clean(off, events).report().rowsKept()).isEqualTo(events.size());
  }

  @Test
  void duplicatesDoNotMakeABot() {
    CleaningOptions options =
        CleaningOptions.builder().maxEventsPerMinute(5).botWindow(Duration.ofMinutes(1)).build();
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      events.add(click("a", "x", T));
    }
    assertThat(clean(options, events).interactions().size()).isEqualTo(1);
  }

  @Test
  void coreAgreesWithRepeatedFiltering() {
    int emptied = 0;
    for (long seed = 1; seed <= 80; seed++) {
      Random random = new Random(seed);
      int minUser = 1 + random.nextInt(4);
      int minItem = 1 + random.nextInt(4);
      List<Event> events = new ArrayList<>();
      for (int i = 30 + random.nextInt(150); i > 0; i--) {
        events.add(
            click(
                "u" + random.nextInt(25),
                "i" + (int) Math.abs(random.nextGaussian() * 12),
                T + events.size()));
      }
      List<Event> left = events;
      int before;
      do {
        before = left.size();
        Map<String, Long> users = count(left, Event::userId);
        left = left.stream().filter(e -> users.getOrDefault(e.userId(), 0L) >= minUser).toList();
        Map<String, Long> items = count(left, Event::itemId);
        left = left.stream().filter(e -> items.getOrDefault(e.itemId(), 0L) >= minItem).toList();
      } while (left.size() < before);
      CleaningOptions options =
          CleaningOptions.builder().minUserEvents(minUser).minItemEvents(minItem).build();
      String what = "seed %d, %d-%d-core".formatted(seed, minUser, minItem);
      if (left.isEmpty()) {
        emptied++;
        assertThatThrownBy(() -> clean(options, events))
            .as(what)
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("K_CORE");
        continue;
      }
      CleaningResult result = clean(options, events);
      assertThat(brief(result.interactions()))
          .as(what)
          .containsExactlyInAnyOrderElementsOf(
              left.stream()
                  .map(e -> e.userId() + ">" + e.itemId() + "@" + (e.timeMillis() - T))
                  .toList());
      assertThat(result.report().rejected(RejectReason.K_CORE))
          .as(what)
          .isEqualTo(events.size() - left.size());
      // Ids are dense and in the order of their first row.
      assertThat(ids(result.interactions().users()))
          .as(what)
          .isEqualTo(firstSeen(events, left, Event::userId));
      assertThat(ids(result.interactions().items()))
          .as(what)
          .isEqualTo(firstSeen(events, left, Event::itemId));
    }
    assertThat(emptied).isLessThan(40);
  }

  private static List<String> firstSeen(
      List<Event> all, List<Event> left, Function<Event, String> id) {
    Set<String> kept = count(left, id).keySet();
    return all.stream().map(id).distinct().filter(kept::contains).toList();
  }

  private static Map<String, Long> count(List<Event> events, Function<Event, String> id) {
    return events.stream().collect(Collectors.groupingBy(id, HashMap::new, Collectors.counting()));
  }

  private static List<String> ids(IdIndex index) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < index.size(); i++) {
      ids.add(index.idOf(i));
    }
    return ids;
  }

  @Test
  void valuesAreNormalised() {
    List<Event> events =
        List.of(
            event("a", "x", EventType.RATING, 2, T),
            event("a", "y", EventType.RATING, 4, T + 1),
            event("a", "z", EventType.RATING, Float.NaN, T + 2),
            event("b", "x", EventType.RATING, 6, T),
            // Removed, so it must have no part in the figures.
            event("b", "x", EventType.RATING, 100, T));
    assertThat(normalised(Normalization.NONE, events)).containsExactly(2f, 4f, Float.NaN, 6f);
    assertThat(normalised(Normalization.MIN_MAX, events)).containsExactly(0f, 0.5f, Float.NaN, 1f);
    // Mean 4, standard deviation sqrt(8/3).
    float step = (float) (2 / Math.sqrt(8.0 / 3));
    assertThat(normalised(Normalization.Z_SCORE, events))
        .containsExactly(-step, 0f, Float.NaN, step);
    assertThat(normalised(Normalization.CENTER_BY_USER, events))
        .containsExactly(-1f, 1f, Float.NaN, 0f);
  }

  @Test
  void normalisingWhatDoesNotVary() {
    List<Event> same =
        List.of(event("a", "x", EventType.RATING, 3, T), event("b", "x", EventType.RATING, 3, T));
    for (Normalization kind :
        List.of(Normalization.MIN_MAX, Normalization.Z_SCORE, Normalization.CENTER_BY_USER)) {
      assertThat(normalised(kind, same)).as("%s", kind).containsExactly(0f, 0f);
    }
    List<Event> none = List.of(click("a", "x", T));
    assertThat(normalised(Normalization.Z_SCORE, none)).containsExactly(Float.NaN);
  }

  private static List<Float> normalised(Normalization kind, List<Event> events) {
    return values(
        clean(CleaningOptions.builder().normalization(kind).build(), events).interactions());
  }

  @Test
  void oneUserAndOneItem() {
    Interactions one = clean(CleaningOptions.defaults(), click("a", "x", T)).interactions();
    assertThat(one.numUsers()).isEqualTo(1);
    assertThat(one.numItems()).isEqualTo(1);
    for (Splitter splitter :
        List.of(
            Splitter.globalTime(), Splitter.leaveOneOut(), Splitter.perUserRatio(0.4, 0.5, 1))) {
      Split split = splitter.split(one);
      assertThat(split.train().size()).as("%s", splitter).isEqualTo(1);
      assertThat(split.test().size()).isZero();
    }
  }

  @Test
  void oneUserWithManyItemsAndOneItemWithManyUsers() {
    List<Event> oneUser = new ArrayList<>();
    List<Event> oneItem = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      oneUser.add(click("u", "i" + i, T + i));
      oneItem.add(click("u" + i, "i", T + i));
    }
    CleaningOptions options = CleaningOptions.defaults();
    Split user = Splitter.globalTime().split(clean(options, oneUser).interactions());
    assertThat(user.train().size()).isEqualTo(8);
    assertThat(user.test().numUsers()).isEqualTo(1);
    Split item = Splitter.globalTime().split(clean(options, oneItem).interactions());
    assertThat(item.train().size()).isEqualTo(8);
    assertThat(item.test().numItems()).isEqualTo(1);
  }

  @Test
  void nothingLeftSaysWhy() throws IOException {
    Path file = Files.writeString(folder.resolve("e.csv"), "user,item,type\n1,2,stare\n1,3,gaze\n");
    Path rejects = folder.resolve("rejected.csv");
    assertThatThrownBy(
            () ->
                new EventCleaner(CleaningOptions.builder().rejectedFile(rejects).build())
                    .clean(EventReaders.open(file, EventFormat.CSV, ColumnMapping.DEFAULT)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("all 2 rows were rejected")
        .hasMessageContaining("2 as UNKNOWN_TYPE")
        .hasMessageContaining("e.csv, line 2")
        .hasMessageContaining("'stare'");
    assertThat(Files.readAllLines(rejects)).hasSize(3);
  }

  @Test
  void everyRejectedRowGoesToTheFileAndAFewToTheReport() throws IOException {
    Path rejects = Files.writeString(folder.resolve("rejected.csv"), "old");
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      events.add(click("a", "x,\"" + i, -1 - i));
    }
    events.add(click("a", "x", T));
    events.add(click("a", "x", T));
    CleaningReport report =
        clean(CleaningOptions.builder().rejectedFile(rejects).examplesPerReason(2).build(), events)
            .report();
    assertThat(report.examples()).hasSize(3);
    assertThat(report.rowsRead()).isEqualTo(22);
    assertThat(report.rowsRejected()).isEqualTo(21);

    // The file is csv, so its columns can be read back with the project's own reader.
    RecordingSink sink = new RecordingSink();
    EventReaders.open(
            rejects, EventFormat.CSV, ColumnMapping.parse("user=reason,item=row,device=line"))
        .read(sink);
    assertThat(sink.events).hasSize(21);
    assertThat(sink.events.get(3).event().itemId()).isEqualTo("a,x,\"3,CLICK,-4");
    assertThat(sink.events.get(3).event().features().device()).isEqualTo("4");
    assertThat(sink.events.get(20).event().userId()).isEqualTo("DUPLICATE_EVENT");
    assertNoOtherFiles("rejected.csv");
  }

  @Test
  void aRunThatFailsLeavesTheOldRejectsAlone() throws IOException {
    Path rejects = Files.writeString(folder.resolve("rejected.csv"), "old");
    EventReader broken =
        new EventReader() {
          @Override
          public String name() {
            return "broken";
          }

          @Override
          public void read(EventSink sink) {
            sink.reject(1, RejectReason.MALFORMED_ROW, "x", "y");
            throw new InvalidInputException("cut off");
          }
        };
    assertThatThrownBy(
            () ->
                new EventCleaner(CleaningOptions.builder().rejectedFile(rejects).build())
                    .clean(broken))
        .hasMessage("cut off");
    assertThat(rejects).hasContent("old");
    assertNoOtherFiles("rejected.csv");
  }

  private void assertNoOtherFiles(String... names) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder(names);
    }
  }

  @Test
  void rejectsThatCannotBeWritten() {
    for (Path target : List.of(folder, folder.resolve("no/such/folder/r.csv"))) {
      assertThatThrownBy(
              () ->
                  clean(CleaningOptions.builder().rejectedFile(target).build(), click("a", "x", T)))
          .isInstanceOf(SextantException.class)
          .hasMessageContaining(target.toString());
    }
  }

  @Test
  void rejectsToAFullDisk() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.isWritable(full), "there is no /dev/full");
    Path rejects = Files.createSymbolicLink(folder.resolve("rejected.csv"), full);
    // With few rows the disk is full at the end, with many in the middle.
    for (int rows : new int[] {1, 20_000}) {
      List<Event> events = new ArrayList<>(List.of(click("a", "x", T)));
      for (int i = 0; i < rows; i++) {
        events.add(click("a", "x", -1 - i));
      }
      assertThatThrownBy(
              () -> clean(CleaningOptions.builder().rejectedFile(rejects).build(), events))
          .as("%d rows", rows)
          .isInstanceOf(SextantException.class)
          .hasMessageContaining("rejected rows cannot be written to " + rejects)
          .hasMessageContaining("make room");
    }
    assertThat(Files.readSymbolicLink(rejects)).isEqualTo(full);
    assertNoOtherFiles("rejected.csv");
  }

  @Test
  void rejectsToWhatIsNoRegularFileDoNotReplaceIt() throws IOException {
    Path nothing = Path.of("/dev/null");
    assumeTrue(Files.isWritable(nothing), "there is no /dev/null");
    Path rejects = Files.createSymbolicLink(folder.resolve("rejected.csv"), nothing);
    CleaningReport report =
        clean(
                CleaningOptions.builder().rejectedFile(rejects).build(),
                click("a", "x", T),
                click("a", "x", -1))
            .report();
    assertThat(report.rowsRejected()).isEqualTo(1);
    assertThat(Files.readSymbolicLink(rejects)).isEqualTo(nothing);
    assertNoOtherFiles("rejected.csv");
  }

  @Test
  void severalSourcesAreOneDataSet() {
    EventReader one =
        EventReaders.of("one", List.of(click("a", "x", T + 1), click("a", "x", T + 2)));
    EventReader two = EventReaders.of("two", List.of(click("b", "x", T), click("a", "x", T + 1)));
    CleaningResult result = new EventCleaner(CleaningOptions.defaults()).clean(List.of(one, two));
    assertThat(brief(result.interactions())).containsExactly("a>x@1", "a>x@2", "b>x@0");
    assertThat(result.report().examples()).hasSize(1);
    assertThat(result.report().examples().get(0).source()).isEqualTo("two");
    assertThat(result.report().examples().get(0).line()).isEqualTo(2);
    assertThatThrownBy(() -> new EventCleaner(CleaningOptions.defaults()).clean(List.of()))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void partsOfAGivenSplitShareIdsAndKeepTheirRows() {
    EventReader train = EventReaders.of("train", List.of(click("a", "x", T), click("a", "x", T)));
    EventReader validation = EventReaders.of("validation", List.of(click("c", "y", T)));
    EventReader test = EventReaders.of("test", List.of(click("b", "y", T), click("a", "x", T)));
    EventCleaner.GivenSplit given =
        new EventCleaner(CleaningOptions.defaults()).cleanSplit(train, validation, test);
    Split split = given.split();
    assertThat(split.train().users()).isSameAs(split.test().users());
    assertThat(ids(split.train().users())).containsExactly("a", "c", "b");
    // A row of train is no reason to take a row of test away.
    assertThat(brief(split.train())).containsExactly("a>x@0");
    assertThat(brief(split.validation())).containsExactly("c>y@0");
    assertThat(brief(split.test())).containsExactly("a>x@0", "b>y@0");
    assertThat(given.report().rowsKept()).isEqualTo(4);

    CleaningOptions pairs = CleaningOptions.builder().duplicates(Duplicates.FIRST_OF_PAIR).build();
    Split two = new EventCleaner(pairs).cleanSplit(train, null, test).split();
    assertThat(brief(two.train())).containsExactly("a>x@0");
    assertThat(two.validation().size()).isZero();
    assertThat(brief(two.test())).containsExactly("a>x@0", "b>y@0");
  }

  @Test
  void circumstancesSurvive() {
    InteractionFeatures features = new InteractionFeatures(2.5f, 3, "phone", "mail");
    CleaningResult result =
        clean(
            CleaningOptions.builder().minUserEvents(2).build(),
            click("gone", "x", T),
            click("a", "x", T + 1),
            new Event("a", "y", EventType.VIEW, 1, T, features));
    Interactions left = result.interactions();
    assertThat(left.featuresAt(0)).isEqualTo(features);
    assertThat(left.featuresAt(1)).isEqualTo(InteractionFeatures.UNKNOWN);
    assertThat(left.devices()).containsExactly("", "phone");
  }

  @Test
  void optionsThatCannotBe() {
    List<CleaningOptions.Builder> wrong =
        List.of(
            CleaningOptions.builder().earliest(Instant.ofEpochMilli(-1)),
            CleaningOptions.builder().earliest(Instant.now().plus(Duration.ofDays(400))),
            CleaningOptions.builder().maxEventsPerMinute(0),
            CleaningOptions.builder().maxEventsPerMinute(Double.NaN),
            CleaningOptions.builder().botWindow(Duration.ZERO),
            CleaningOptions.builder().minRating(Float.NaN),
            CleaningOptions.builder().minUserEvents(0),
            CleaningOptions.builder().minItemEvents(-3),
            CleaningOptions.builder().weight(EventType.VIEW, -1),
            CleaningOptions.builder().weight(EventType.VIEW, Float.NaN),
            CleaningOptions.builder().examplesPerReason(-1));
    for (int i = 0; i < wrong.size(); i++) {
      CleaningOptions.Builder builder = wrong.get(i);
      assertThatThrownBy(builder::build)
          .as("number %d", i)
          .isInstanceOf(InvalidInputException.class);
    }
    assertThatThrownBy(() -> CleaningOptions.builder().minItemEvents(-3).build())
        .hasMessage("minItemEvents must be >= 1 but was -3");
  }
}
