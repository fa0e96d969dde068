package io.sextant.feedback;

import io.sextant.EventType;
import java.nio.file.Path;

/** A process that logs until it is killed, and says what was acknowledged. */
final class LogWriter {

  private LogWriter() {}

  public static void main(String[] args) {
    String run = args[1];
    try (DecisionLog log = SqliteDecisionLog.open(Path.of(args[0]))) {
      for (int i = 0; ; i++) {
        String id = run + "-" + i;
        log.record(SqliteDecisionLogTest.decision(id, "u", i)).thenRun(() -> say("d " + id));
        log.record(Outcome.of(id, "x", EventType.CLICK, i)).thenRun(() -> say("o " + id));
        if (i % 64 == 0) {
          // Some at a time: the queue is to be full of what is not acknowledged.
          log.record(Outcome.of(id, "y", EventType.CLICK, i)).join();
        }
      }
    }
  }

  private static void say(String line) {
    System.out.println(line);
  }
}
