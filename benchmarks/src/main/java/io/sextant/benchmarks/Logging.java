package io.sextant.benchmarks;

import io.sextant.OverloadedException;
import io.sextant.feedback.Decision;
import io.sextant.feedback.SqliteDecisionLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/**
 * The decision log beside what one would write by hand: the same bytes of the same decisions in one
 * SQLite table without indices, {@value #BATCH} a transaction, by one caller. Both are durable: WAL
 * with full synchronisation. The log encodes, keeps two indices more, and takes many callers.
 */
final class Logging {

  static final int BATCH = 1000;

  private final List<Decision> decisions = new ArrayList<>();

  /**
   * @param candidates of each decision, with five scores each
   */
  Logging(int count, int candidates) {
    Random random = new Random(1);
    for (int i = 0; i < count; i++) {
      List<Decision.Candidate> some = new ArrayList<>(candidates);
      for (int c = 0; c < candidates; c++) {
        float[] scores = new float[5];
        for (int m = 0; m < scores.length; m++) {
          scores[m] = random.nextFloat();
        }
        some.add(new Decision.Candidate("item" + random.nextInt(100_000), scores, 0.5));
      }
      decisions.add(
          new Decision(
              new UUID(random.nextLong(), random.nextLong()).toString(),
              "user" + random.nextInt(10_000),
              "v1",
              i,
              random.nextLong(),
              new float[20],
              new float[4],
              some,
              candidates > 9 ? new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9} : new int[] {0}));
    }
  }

  /** Decisions a second through the log, from the first call until all are durable. */
  double grouped(int callers) {
    Path folder = folder();
    try (SqliteDecisionLog log = SqliteDecisionLog.open(folder.resolve("log"))) {
      long start = System.nanoTime();
      List<CompletableFuture<Void>> done = new ArrayList<>();
      for (int caller = 0; caller < callers; caller++) {
        int first = caller;
        done.add(CompletableFuture.runAsync(() -> hand(log, first, callers)));
      }
      done.forEach(CompletableFuture::join);
      return decisions.size() / ((System.nanoTime() - start) / 1e9);
    } finally {
      delete(folder);
    }
  }

  private void hand(SqliteDecisionLog log, int first, int callers) {
    List<CompletableFuture<Void>> written = new ArrayList<>();
    for (int i = first; i < decisions.size(); i += callers) {
      while (true) {
        try {
          written.add(log.record(decisions.get(i)));
          break;
        } catch (OverloadedException e) {
          LockSupport.parkNanos(200_000);
        }
      }
    }
    written.forEach(CompletableFuture::join);
  }

  /** Decisions a second by plain inserts. */
  double plain() {
    Path folder = folder();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("t"));
        Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA journal_mode = WAL");
      statement.execute("PRAGMA synchronous = FULL");
      statement.execute(
          "CREATE TABLE d (id TEXT, user TEXT, version TEXT, time INTEGER, body BLOB)");
      connection.setAutoCommit(false);
      long start = System.nanoTime();
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO d VALUES (?, ?, ?, ?, ?)")) {
        for (int i = 0; i < decisions.size(); i++) {
          Decision decision = decisions.get(i);
          insert.setString(1, decision.id());
          insert.setString(2, decision.userId());
          insert.setString(3, decision.policyVersion());
          insert.setLong(4, decision.timeMillis());
          insert.setBytes(5, bytes(decision));
          insert.addBatch();
          if (i % BATCH == BATCH - 1 || i == decisions.size() - 1) {
            insert.executeBatch();
            connection.commit();
          }
        }
      }
      return decisions.size() / ((System.nanoTime() - start) / 1e9);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    } finally {
      delete(folder);
    }
  }

  /** The same numbers in as many bytes, without a format. */
  private static byte[] bytes(Decision decision) {
    int size = 8 + 4 * (decision.inputs().length + decision.gates().length);
    for (Decision.Candidate candidate : decision.candidates()) {
      size += candidate.itemId().length() + 4 * candidate.scores().length + 16;
    }
    ByteBuffer bytes = ByteBuffer.allocate(size);
    bytes.putLong(decision.seed());
    for (float value : decision.inputs()) {
      bytes.putFloat(value);
    }
    for (float value : decision.gates()) {
      bytes.putFloat(value);
    }
    for (Decision.Candidate candidate : decision.candidates()) {
      byte[] id = candidate.itemId().getBytes(StandardCharsets.UTF_8);
      bytes.putInt(id.length).put(id).putInt(candidate.scores().length);
      for (float score : candidate.scores()) {
        bytes.putFloat(score);
      }
      bytes.putDouble(candidate.propensity());
    }
    return bytes.array();
  }

  private static Path folder() {
    try {
      return Files.createTempDirectory("sextant-log");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path folder) {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
