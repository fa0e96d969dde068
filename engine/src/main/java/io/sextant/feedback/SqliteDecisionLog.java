package io.sextant.feedback;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.SextantException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A decision log in one SQLite file ({@code org.xerial:sqlite-jdbc}, which whoever uses this class
 * adds to the class path), in WAL mode with full synchronisation.
 *
 * <p>One thread writes. What comes while a transaction is made durable goes into the next one
 * (group commit), so that one fsync serves many decisions; while they come often, it waits some
 * milliseconds for them, to leave the cores to whoever serves. A transaction that fails, as on a
 * full disk, fails for the decisions in it only; the next one is tried anew. One process writes;
 * others may read.
 *
 * <p>Thread safety: safe.
 */
public final class SqliteDecisionLog implements DecisionLog {

  private static final Logger LOG = LoggerFactory.getLogger(SqliteDecisionLog.class);

  /** Number of the schema, in the file's {@code user_version}. */
  static final int SCHEMA = 1;

  private static final int MAX_GROUP = 4096;

  /** While writes come often, a transaction waits so long for others: they cost what one costs. */
  private static final long GATHER_MILLIS = 5;

  private static final int MAX_QUEUED_BYTES = 64 << 20;
  private static final int OVERHEAD_BYTES = 256;
  private static final int BUSY_MILLIS = 5000;

  /** SQLite's own limit. */
  private static final long MAX_PAGES = 4_294_967_294L;

  private static final Duration RETRY_AFTER = Duration.ofMillis(50);

  // Written out, because SQLite ends a transaction by itself where the disk is full, and the
  // driver's own book of transactions then no longer says what is.
  private static final String BEGIN = "BEGIN IMMEDIATE";
  private static final String COMMIT = "COMMIT";

  private static final List<String> CREATE =
      List.of(
          """
          CREATE TABLE decisions (
            id TEXT NOT NULL PRIMARY KEY, user TEXT NOT NULL, version TEXT NOT NULL,
            time INTEGER NOT NULL, body BLOB NOT NULL)""",
          "CREATE INDEX decisions_user ON decisions (user) WHERE user <> ''",
          "CREATE INDEX decisions_time ON decisions (time)",
          """
          CREATE TABLE outcomes (
            decision TEXT NOT NULL, item TEXT NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL,
            value REAL NOT NULL, time INTEGER NOT NULL,
            PRIMARY KEY (decision, item, type, key)) WITHOUT ROWID""",
          "PRAGMA user_version = " + SCHEMA);

  private final Path file;
  private final Connection writing;
  private final PreparedStatement insertDecision;
  private final PreparedStatement insertOutcome;
  private final LinkedBlockingQueue<Entry> queue = new LinkedBlockingQueue<>();
  private final Semaphore room;
  private final int capacity;
  private final Thread writer = new Thread(this::write, "sextant-decision-log");
  private final Acknowledgements acknowledgements = new Acknowledgements();
  private boolean closed;

  /** Of the writer alone: whether the last transaction failed. */
  private boolean failing;

  /** What the writer does. */
  private sealed interface Entry permits Write, Task {}

  /** What goes into the next transaction. */
  private record Write(
      @Nullable Decision decision,
      byte[] body,
      @Nullable Outcome outcome,
      int bytes,
      CompletableFuture<Void> done)
      implements Entry {}

  /** What is done between transactions. */
  private record Task(Job job, CompletableFuture<Removed> done) implements Entry {}

  @FunctionalInterface
  private interface Job {
    Removed run() throws SQLException;
  }

  private SqliteDecisionLog(Path file, Connection connection, int capacity) throws SQLException {
    this.file = file;
    this.capacity = capacity;
    writing = connection;
    room = new Semaphore(capacity);
    insertDecision =
        connection.prepareStatement("INSERT OR IGNORE INTO decisions VALUES (?, ?, ?, ?, ?)");
    insertOutcome =
        connection.prepareStatement("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?, ?)");
    writer.setDaemon(true);
    writer.start();
  }

  /**
   * Opens a log, and makes the file if there is none.
   *
   * @throws InvalidInputException if the file is no decision log, is of another schema, or is held
   *     by another process
   */
  public static SqliteDecisionLog open(Path file) {
    return open(file, Limits.NONE);
  }

  /**
   * What a log may take.
   *
   * @param queuedBytes of memory for what waits to be written
   * @param fileBytes of disk for the file without its WAL: a log that would become larger is full,
   *     as on a full disk
   */
  public record Limits(int queuedBytes, long fileBytes) {

    /** 64 MiB of memory, and what the disk holds. */
    public static final Limits NONE = new Limits(MAX_QUEUED_BYTES, Long.MAX_VALUE);

    public Limits {
      if (queuedBytes < 1 || fileBytes < 1) {
        throw new InvalidInputException(
            "limits must be >= 1 byte but were %d and %d".formatted(queuedBytes, fileBytes));
      }
    }
  }

  /**
   * The same with limits.
   *
   * @throws InvalidInputException if the file is no decision log, is of another schema, or is held
   *     by another process
   */
  public static SqliteDecisionLog open(Path file, Limits limits) {
    Connection connection = null;
    try {
      connection = connect(file);
      prepare(file, connection, limits);
      return new SqliteDecisionLog(file, connection, limits.queuedBytes());
    } catch (SQLException e) {
      close(connection);
      throw new InvalidInputException(
          "decision log %s cannot be opened: %s; close who holds it, or choose another file"
              .formatted(file, e.getMessage()),
          e);
    } catch (RuntimeException e) {
      close(connection);
      throw e;
    }
  }

  private static Connection connect(Path file) throws SQLException {
    Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file.toAbsolutePath());
    try (Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA busy_timeout = " + BUSY_MILLIS);
    }
    return connection;
  }

  private static void prepare(Path file, Connection connection, Limits limits) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      int version = (int) number(statement, "PRAGMA user_version");
      long tables = number(statement, "SELECT count(*) FROM sqlite_schema");
      if (version != SCHEMA && (version != 0 || tables != 0)) {
        throw new InvalidInputException(
            "%s is no decision log of schema %d (it has schema %d and %d tables and indices): choose another file"
                .formatted(file, SCHEMA, version, tables));
      }
      statement.execute("PRAGMA journal_mode = WAL");
      statement.execute("PRAGMA synchronous = FULL");
      // What is forgotten is overwritten.
      statement.execute("PRAGMA secure_delete = ON");
      long pages = limits.fileBytes() / number(statement, "PRAGMA page_size");
      if (pages < MAX_PAGES) {
        statement.execute("PRAGMA max_page_count = " + pages);
      }
      if (version == 0) {
        statement.execute(BEGIN);
        for (String sql : CREATE) {
          statement.execute(sql);
        }
        statement.execute(COMMIT);
      }
    }
  }

  private static long number(Statement statement, String sql) throws SQLException {
    try (ResultSet result = statement.executeQuery(sql)) {
      return result.next() ? result.getLong(1) : 0;
    }
  }

  @Override
  public CompletableFuture<Void> record(Decision decision) {
    byte[] body = DecisionCodec.encode(decision);
    return write(decision, body, null, body.length + OVERHEAD_BYTES);
  }

  @Override
  public CompletableFuture<Void> record(Outcome outcome) {
    return write(null, new byte[0], outcome, 2 * OVERHEAD_BYTES);
  }

  private CompletableFuture<Void> write(
      @Nullable Decision decision, byte[] body, @Nullable Outcome outcome, int bytes) {
    if (bytes > capacity) {
      throw new InvalidInputException(
          "a decision of %d bytes is larger than all that may wait to be written, %d bytes: log fewer candidates"
              .formatted(bytes, capacity));
    }
    if (!room.tryAcquire(bytes)) {
      throw new OverloadedException(
          "decision log %s cannot keep up: %d bytes wait to be written".formatted(file, capacity),
          RETRY_AFTER);
    }
    Write write = new Write(decision, body, outcome, bytes, new CompletableFuture<>());
    try {
      add(write);
    } catch (RuntimeException e) {
      room.release(bytes);
      throw e;
    }
    return write.done();
  }

  /** Nothing comes into the queue after it was closed, so nothing is left in it. */
  private synchronized void add(Entry entry) {
    if (closed) {
      throw new SextantException("decision log " + file + " is closed");
    }
    queue.add(entry);
  }

  private void write() {
    List<Entry> group = new ArrayList<>();
    boolean often = false;
    long last = System.nanoTime() - Long.MAX_VALUE / 2;
    while (true) {
      try {
        group.add(queue.take());
        if (often && queue.size() < MAX_GROUP) {
          Thread.sleep(GATHER_MILLIS);
        }
      } catch (InterruptedException e) {
        // Only close interrupts, and it has put nothing behind what is written now.
        queue.drainTo(group);
        run(group);
        return;
      }
      queue.drainTo(group, MAX_GROUP - 1);
      long now = System.nanoTime();
      run(group);
      // Who writes once in a while is not made to wait for others, and who waits for each write
      // only every other time.
      often = group.size() > 1 || (!often && now - last < GATHER_MILLIS * 1_000_000L);
      last = now;
      group.clear();
    }
  }

  /** Writes in order; a task ends the transaction before it. */
  private void run(List<Entry> group) {
    List<Write> writes = new ArrayList<>();
    for (Entry entry : group) {
      if (entry instanceof Write write) {
        writes.add(write);
      } else if (entry instanceof Task task) {
        commit(writes);
        writes.clear();
        run(task);
      }
    }
    commit(writes);
  }

  private void commit(List<Write> writes) {
    if (writes.isEmpty()) {
      return;
    }
    SextantException failure = null;
    try {
      execute(BEGIN);
      for (Write write : writes) {
        insert(write);
      }
      insertDecision.executeBatch();
      insertOutcome.executeBatch();
      execute(COMMIT);
      failing = false;
    } catch (SQLException | RuntimeException e) {
      failure =
          new SextantException(
              "decision log %s could not be written, what was not acknowledged is not there: %s"
                  .formatted(file, e.getMessage()),
              e);
      if (!failing) {
        // Once until it works again: a full disk fails thousands of times.
        LOG.error("{}", failure.getMessage());
      }
      failing = true;
      rollBack();
    }
    SextantException failed = failure;
    List<Write> done = List.copyOf(writes);
    done.forEach(write -> room.release(write.bytes()));
    acknowledgements.execute(
        () -> {
          for (Write write : done) {
            if (failed == null) {
              write.done().complete(null);
            } else {
              write.done().completeExceptionally(failed);
            }
          }
        });
  }

  private void insert(Write write) throws SQLException {
    Decision decision = write.decision();
    if (decision != null) {
      String user = decision.userId();
      insertDecision.setString(1, decision.id());
      insertDecision.setString(2, user == null ? "" : user);
      insertDecision.setString(3, decision.policyVersion());
      insertDecision.setLong(4, decision.timeMillis());
      insertDecision.setBytes(5, write.body());
      insertDecision.addBatch();
    }
    Outcome outcome = write.outcome();
    if (outcome != null) {
      insertOutcome.setString(1, outcome.decisionId());
      insertOutcome.setString(2, outcome.itemId());
      insertOutcome.setString(3, outcome.type().name());
      insertOutcome.setString(4, outcome.key());
      insertOutcome.setDouble(5, outcome.value());
      insertOutcome.setLong(6, outcome.timeMillis());
      insertOutcome.addBatch();
    }
  }

  private void rollBack() {
    try {
      insertDecision.clearBatch();
      insertOutcome.clearBatch();
      execute("ROLLBACK");
    } catch (SQLException e) {
      // SQLite has rolled back already.
      LOG.debug("decision log {}: {}", file, e.getMessage());
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = writing.createStatement()) {
      statement.execute(sql);
    }
  }

  private void run(Task task) {
    Removed removed = null;
    SextantException failure = null;
    try {
      execute(BEGIN);
      removed = task.job().run();
      execute(COMMIT);
      // What was removed is not to live on in the WAL.
      execute("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (SQLException | RuntimeException e) {
      failure =
          new SextantException(
              "nothing was removed from decision log %s: %s".formatted(file, e.getMessage()), e);
      rollBack();
    }
    if (failure == null && removed != null) {
      task.done().complete(removed);
    } else {
      task.done().completeExceptionally(failure);
    }
  }

  @Override
  public Removed forget(String userId) {
    Decision.checkId("the user", userId);
    return removing(
        () -> {
          long outcomes =
              update(
                  "DELETE FROM outcomes WHERE decision IN (SELECT id FROM decisions WHERE user = ?)",
                  userId);
          long decisions = update("DELETE FROM decisions WHERE user = ?", userId);
          return new Removed(decisions, outcomes);
        });
  }

  @Override
  public Removed expire(long beforeMillis) {
    return removing(
        () -> {
          long outcomes =
              update(
                  "DELETE FROM outcomes WHERE decision IN (SELECT id FROM decisions WHERE time < ?)",
                  beforeMillis);
          outcomes +=
              update(
                  "DELETE FROM outcomes WHERE time < ? AND decision NOT IN (SELECT id FROM decisions)",
                  beforeMillis);
          long decisions = update("DELETE FROM decisions WHERE time < ?", beforeMillis);
          return new Removed(decisions, outcomes);
        });
  }

  private long update(String sql, Object parameter) throws SQLException {
    try (PreparedStatement statement = writing.prepareStatement(sql)) {
      statement.setObject(1, parameter);
      return statement.executeUpdate();
    }
  }

  private Removed removing(Job job) {
    Task task = new Task(job, new CompletableFuture<>());
    add(task);
    try {
      return task.done().join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof SextantException failure ? failure : e;
    }
  }

  @Override
  public void read(long fromMillis, long toMillis, Consumer<LoggedDecision> consumer) {
    try (Connection reading = connect(file)) {
      // One snapshot for decisions and outcomes.
      reading.setAutoCommit(false);
      try (PreparedStatement decisions =
              reading.prepareStatement(
                  "SELECT id, user, version, time, body FROM decisions WHERE time >= ? AND time < ? ORDER BY time, rowid");
          PreparedStatement outcomes =
              reading.prepareStatement(
                  "SELECT item, type, value, time, key FROM outcomes WHERE decision = ? ORDER BY time, item, type, key")) {
        decisions.setLong(1, fromMillis);
        decisions.setLong(2, toMillis);
        try (ResultSet row = decisions.executeQuery()) {
          while (row.next()) {
            Decision decision =
                DecisionCodec.decode(
                    row.getString(1),
                    row.getString(2),
                    row.getString(3),
                    row.getLong(4),
                    row.getBytes(5));
            consumer.accept(new LoggedDecision(decision, outcomes(outcomes, decision.id())));
          }
        }
      }
    } catch (SQLException e) {
      throw unreadable(e);
    }
  }

  private static List<Outcome> outcomes(PreparedStatement select, String decision)
      throws SQLException {
    select.setString(1, decision);
    List<Outcome> outcomes = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        outcomes.add(
            new Outcome(
                decision,
                row.getString(1),
                EventType.valueOf(row.getString(2)),
                row.getDouble(3),
                row.getLong(4),
                row.getString(5)));
      }
    }
    return outcomes;
  }

  @Override
  public long orphans() {
    try (Connection reading = connect(file);
        Statement statement = reading.createStatement()) {
      return number(
          statement,
          "SELECT count(*) FROM outcomes WHERE decision NOT IN (SELECT id FROM decisions)");
    } catch (SQLException e) {
      throw unreadable(e);
    }
  }

  private SextantException unreadable(SQLException e) {
    return new SextantException(
        "decision log %s cannot be read: %s".formatted(file, e.getMessage()), e);
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    writer.interrupt();
    boolean interrupted = false;
    while (writer.isAlive()) {
      try {
        writer.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    acknowledgements.close();
    close(writing);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(@Nullable Connection connection) {
    if (connection != null) {
      try {
        connection.close();
      } catch (SQLException e) {
        LOG.warn("a decision log was not closed in order: {}", e.getMessage());
      }
    }
  }
}
