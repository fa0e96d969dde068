package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.SextantException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteDecisionLogTest {

  @TempDir Path folder;

  private Path file() {
    return folder.resolve("decisions.sqlite");
  }

  static Decision decision(String id, @Nullable String user, long time) {
    Random random = new Random(id.hashCode());
    List<Decision.Candidate> candidates = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      candidates.add(
          new Decision.Candidate(
              "item " + i + " of " + id,
              new float[] {random.nextFloat(), -random.nextFloat()},
              0.1 + 0.9 * random.nextDouble()));
    }
    return new Decision(
        id,
        user,
        "policy 1",
        "incumbent " + random.nextInt(3),
        time,
        random.nextLong(),
        Decision.History.of(List.of("x", "\u00fc", "x").subList(0, random.nextInt(4))),
        new float[] {random.nextFloat()},
        new float[] {random.nextFloat(), Float.NaN},
        candidates,
        new int[] {3, 0});
  }

  private static Map<String, LoggedDecision> all(DecisionLog log) {
    Map<String, LoggedDecision> all = new TreeMap<>();
    log.read(
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        logged -> assertThat(all.put(logged.decision().id(), logged)).isNull());
    return all;
  }

  private static LoggedDecision of(Map<String, LoggedDecision> all, String id) {
    assertThat(all).containsKey(id);
    return Objects.requireNonNull(all.get(id));
  }

  static void assertSame(Decision actual, Decision expected) {
    assertThat(actual.id()).isEqualTo(expected.id());
    assertThat(actual.userId()).isEqualTo(expected.userId());
    assertThat(actual.policyVersion()).isEqualTo(expected.policyVersion());
    assertThat(actual.baselineVersion()).isEqualTo(expected.baselineVersion());
    assertThat(actual.history()).isEqualTo(expected.history());
    assertThat(actual.timeMillis()).isEqualTo(expected.timeMillis());
    assertThat(DecisionCodec.encode(actual)).isEqualTo(DecisionCodec.encode(expected));
    assertThat(actual.candidates())
        .extracting(Decision.Candidate::itemId)
        .isEqualTo(expected.candidates().stream().map(Decision.Candidate::itemId).toList());
    assertThat(actual.gates()).isEqualTo(expected.gates());
    assertThat(actual.slate()).isEqualTo(expected.slate());
  }

  @Test
  void whatIsAcknowledgedIsReadAgainAsItWas() {
    Decision first = decision("one", "Robert'); DROP TABLE decisions;--", 5);
    Decision visitor = decision("zwei \u0000 \ud83d\ude00", null, -7);
    try (DecisionLog log = SqliteDecisionLog.open(file())) {
      CompletableFuture.allOf(log.record(first), log.record(visitor)).join();
      log.record(new Outcome("one", "item", EventType.RATING, 4.5, 9, "")).join();
    }
    try (DecisionLog log = SqliteDecisionLog.open(file())) {
      Map<String, LoggedDecision> all = all(log);
      assertThat(all).hasSize(2);
      assertSame(of(all, "one").decision(), first);
      assertSame(of(all, visitor.id()).decision(), visitor);
      assertThat(of(all, "one").outcomes())
          .containsExactly(new Outcome("one", "item", EventType.RATING, 4.5, 9, ""));
      List<String> ids = new ArrayList<>();
      log.read(-7, 5, logged -> ids.add(logged.decision().id()));
      assertThat(ids).containsExactly(visitor.id());
    }
  }

  @Test
  void outcomesComeLateTwiceAndBeforeTheirDecision() {
    try (DecisionLog log = SqliteDecisionLog.open(file())) {
      Outcome click = Outcome.of("d", "item", EventType.CLICK, 20);
      Outcome bought = new Outcome("d", "item", EventType.PURCHASE, 9.9, 10, "order 1");
      Outcome again = new Outcome("d", "item", EventType.PURCHASE, 8.8, 30, "order 2");
      for (Outcome outcome : List.of(click, bought, click, again, bought)) {
        log.record(outcome).join();
      }
      assertThat(log.orphans()).isEqualTo(3);
      assertThat(all(log)).isEmpty();
      log.record(decision("d", "u", 15)).join();
      log.record(decision("d", "u", 15)).join();
      assertThat(log.orphans()).isZero();
      assertThat(of(all(log), "d").outcomes()).containsExactly(bought, click, again);
    }
  }

  @Test
  void aPersonIsForgottenAndSaidToBe() throws Exception {
    try (DecisionLog log = SqliteDecisionLog.open(file())) {
      for (int i = 0; i < 40; i++) {
        log.record(decision("d" + i, i % 4 == 0 ? "forgettable person" : "other", i));
        log.record(Outcome.of("d" + i, "it", EventType.CLICK, i)).join();
      }
      log.record(Outcome.of("d0", "it", EventType.CART, 1)).join();
      assertThat(log.forget("forgettable person")).isEqualTo(new DecisionLog.Removed(10, 11));
      assertThat(log.forget("forgettable person")).isEqualTo(new DecisionLog.Removed(0, 0));
      assertThat(all(log)).hasSize(30);
      assertThat(log.expire(20)).isEqualTo(new DecisionLog.Removed(15, 15));
      assertThat(all(log)).hasSize(15);
      assertThat(log.orphans()).isZero();
      // Neither the file nor its WAL holds a trace.
      for (Path part : List.of(file(), folder.resolve("decisions.sqlite-wal"))) {
        assertThat(new String(Files.readAllBytes(part), StandardCharsets.ISO_8859_1))
            .doesNotContain("forgettable person", "item 1 of d36");
      }
      log.record(decision("after", "u", 50)).join();
    }
  }

  @Test
  void manyWritersShareTransactions() throws Exception {
    int writers = 8;
    int each = 400;
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    try (DecisionLog log = SqliteDecisionLog.open(file())) {
      List<CompletableFuture<?>> running = new ArrayList<>();
      for (int w = 0; w < writers; w++) {
        int writer = w;
        running.add(
            CompletableFuture.runAsync(
                () -> {
                  List<CompletableFuture<Void>> written = new ArrayList<>();
                  for (int i = 0; i < each; i++) {
                    written.add(log.record(decision(writer + " " + i, "u" + writer, i)));
                    written.add(log.record(Outcome.of(writer + " " + i, "x", EventType.VIEW, i)));
                  }
                  written.forEach(CompletableFuture::join);
                },
                threads));
      }
      running.forEach(CompletableFuture::join);
      Map<String, LoggedDecision> all = all(log);
      assertThat(all).hasSize(writers * each);
      all.forEach(
          (id, logged) -> {
            assertSame(
                logged.decision(),
                decision(id, "u" + id.charAt(0), logged.decision().timeMillis()));
            assertThat(logged.outcomes()).hasSize(1);
          });
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void closingWritesWhatWaitsAndRefusesMore() {
    DecisionLog log = SqliteDecisionLog.open(file());
    List<CompletableFuture<Void>> written = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      written.add(log.record(decision("d" + i, "u", i)));
    }
    log.close();
    log.close();
    assertThat(written).allSatisfy(done -> assertThat(done).succeedsWithin(Duration.ofSeconds(30)));
    assertThatThrownBy(() -> log.record(decision("late", "u", 1)))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("closed");
    try (DecisionLog again = SqliteDecisionLog.open(file())) {
      assertThat(all(again)).hasSize(200);
    }
  }

  @Test
  void aFullDiskFailsWhatIsNotWrittenAndLosesNothingThatIs() {
    List<String> acknowledged = new ArrayList<>();
    SqliteDecisionLog.Limits limits = new SqliteDecisionLog.Limits(1 << 20, 200_000);
    try (DecisionLog log = SqliteDecisionLog.open(file(), limits)) {
      int refused = 0;
      for (int i = 0; i < 1000; i++) {
        try {
          log.record(decision("d" + i, "u" + i % 2, i)).join();
          acknowledged.add("d" + i);
        } catch (CompletionException e) {
          refused++;
          assertThat(e.getCause())
              .isInstanceOf(SextantException.class)
              .hasMessageContaining("full");
        }
      }
      assertThat(refused).isGreaterThan(100);
      assertThat(acknowledged.size()).isGreaterThan(100);
      assertThat(all(log).keySet()).containsExactlyInAnyOrderElementsOf(acknowledged);
      // Once there is room it goes on.
      assertThat(log.forget("u0").decisions()).isPositive();
      log.record(decision("again", "u", 1)).join();
    }
    try (DecisionLog log = SqliteDecisionLog.open(file())) {
      assertThat(all(log)).containsKey("again");
    }
  }

  @Test
  void whatCannotBeWrittenInTimeIsRefusedAtOnceAndMemoryStaysBounded() throws Exception {
    SqliteDecisionLog.Limits limits = new SqliteDecisionLog.Limits(20_000, Long.MAX_VALUE);
    try (DecisionLog log = SqliteDecisionLog.open(file(), limits);
        Connection other = DriverManager.getConnection("jdbc:sqlite:" + file());
        Statement statement = other.createStatement()) {
      statement.execute("BEGIN IMMEDIATE");
      List<CompletableFuture<Void>> waiting = new ArrayList<>();
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1000; i++) {
                  waiting.add(log.record(decision("d" + i, "u", i)));
                }
              })
          .isInstanceOf(OverloadedException.class)
          .hasMessageContaining("cannot keep up");
      assertThat(waiting).hasSizeBetween(10, 100);
      statement.execute("COMMIT");
      waiting.forEach(done -> assertThat(done.orTimeout(30, TimeUnit.SECONDS).join()).isNull());
      log.record(decision("next", "u", 1)).join();
      assertThat(all(log)).hasSize(waiting.size() + 1);
      Decision huge =
          new Decision(
              "huge", "u", "p", 0, 0, new float[20_000], new float[0], List.of(), new int[0]);
      assertThatThrownBy(() -> log.record(huge)).isInstanceOf(InvalidInputException.class);
    }
  }

  @Test
  void otherFilesAndOtherSchemasAreRefused() throws Exception {
    Files.writeString(file(), "this is a text and no data base, however long it may be".repeat(30));
    assertThatThrownBy(() -> SqliteDecisionLog.open(file()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("decisions.sqlite");
    Path schema = folder.resolve("schema.sqlite");
    SqliteDecisionLog.open(schema).close();
    try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + schema);
        Statement statement = other.createStatement()) {
      statement.execute("PRAGMA user_version = 7");
    }
    assertThatThrownBy(() -> SqliteDecisionLog.open(schema))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("schema 7");
    Path foreign = folder.resolve("foreign.sqlite");
    try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + foreign);
        Statement statement = other.createStatement()) {
      statement.execute("CREATE TABLE mine (x)");
    }
    assertThatThrownBy(() -> SqliteDecisionLog.open(foreign))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no decision log");
    assertThatThrownBy(() -> SqliteDecisionLog.open(folder.resolve("no/such/folder.sqlite")))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void impossibleDecisionsAreRefused() {
    for (double propensity : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThatThrownBy(() -> new Decision.Candidate("i", new float[0], propensity))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("propensity");
    }
    List<Decision.Candidate> candidates =
        List.of(
            new Decision.Candidate("a", new float[0], 0.5),
            new Decision.Candidate("b", new float[0], 0));
    for (int[] slate : new int[][] {{2}, {-1}, {0, 0}, {1}}) {
      assertThatThrownBy(
              () ->
                  new Decision("d", null, "p", 0, 0, new float[0], new float[0], candidates, slate))
          .isInstanceOf(InvalidInputException.class);
    }
    assertThatThrownBy(() -> new Outcome("d", "i", EventType.CLICK, Double.NaN, 0, ""))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> decision("", "u", 0)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> decision("x".repeat(2000), "u", 0))
        .isInstanceOf(InvalidInputException.class);
  }

  /** What a log of the first format holds of a decision with one candidate. */
  private static byte[] firstFormat() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(1);
      out.writeLong(77);
      out.writeInt(1);
      out.writeFloat(0.5f);
      out.writeInt(0);
      out.writeInt(1);
      out.writeInt(4);
      out.writeBytes("item");
      out.writeInt(0);
      out.writeDouble(0.25);
      out.writeInt(1);
      out.writeInt(0);
    }
    return bytes.toByteArray();
  }

  @Test
  void olderLogsAreReadAndNewerOnesRefused() throws Exception {
    byte[] body = firstFormat();
    try (DecisionLog log = SqliteDecisionLog.open(file())) {
      log.record(decision("new", "u", 1)).join();
    }
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
        PreparedStatement insert =
            connection.prepareStatement("INSERT INTO decisions VALUES ('old', 'u', 'p', 2, ?)")) {
      insert.setBytes(1, body);
      insert.executeUpdate();
    }
    try (DecisionLog log = SqliteDecisionLog.open(file())) {
      Map<String, LoggedDecision> all = all(log);
      assertThat(of(all, "new").decision().history()).isNotNull();
      Decision old = of(all, "old").decision();
      assertThat(old.seed()).isEqualTo(77);
      assertThat(old.baselineVersion()).isNull();
      assertThat(old.history()).isNull();
      assertThat(old.inputs()).containsExactly(0.5f);
      assertThat(old.candidates().get(0).itemId()).isEqualTo("item");
      assertThat(old.candidates().get(0).propensity()).isEqualTo(0.25);
      assertThat(old.slate()).containsExactly(0);
    }
    body[0] = 3;
    assertThatThrownBy(() -> DecisionCodec.decode("d", "u", "p", 2, body))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has format 3, this Sextant reads 1 and 2");
  }

  @Test
  void longHistoriesKeepTheirEnd() {
    List<String> items = IntStream.range(0, 300).mapToObj(i -> "i" + i).toList();
    Decision.History history = Decision.History.of(items);
    assertThat(history.items()).isEqualTo(items.subList(44, 300));
    assertThat(history.length()).isEqualTo(300);
    assertThat(history.isWhole()).isFalse();
    assertThat(Decision.History.of(items.subList(0, 256)).isWhole()).isTrue();
    assertThatThrownBy(() -> new Decision.History(items, 300))
        .hasMessageContaining("cannot keep 300 of them: it keeps 256");
    assertThatThrownBy(() -> new Decision.History(List.of("i"), 0))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void damagedBodiesAreRefusedWhateverIsWrong() {
    byte[] body = DecisionCodec.encode(decision("d", "u", 1));
    Random random = new Random(4);
    int refused = 0;
    for (int round = 0; round < 3000; round++) {
      byte[] damaged = Arrays.copyOf(body, 1 + random.nextInt(body.length));
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        DecisionCodec.decode("d", "u", "p", 1, damaged);
      } catch (InvalidInputException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(2000);
  }
}
