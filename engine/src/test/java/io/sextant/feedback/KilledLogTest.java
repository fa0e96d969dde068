package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that logs is killed at random moments: what it acknowledged is there, once and whole.
 */
class KilledLogTest {

  @TempDir Path folder;

  @Test
  void nothingAcknowledgedIsLostByTwoKills() throws Exception {
    kill(2);
  }

  @Test
  @Tag("slow")
  void nothingAcknowledgedIsLostByFiftyKills() throws Exception {
    kill(50);
  }

  private void kill(int times) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Path file = folder.resolve("killed.sqlite");
    Set<String> acknowledged = new HashSet<>();
    for (int kill = 0; kill < times; kill++) {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  LogWriter.class.getName(),
                  file.toString(),
                  "run" + kill)
              .redirectError(folder.resolve("killed.log").toFile())
              .start();
      BufferedReader said = process.inputReader();
      String line = said.readLine();
      assertThat(line).as("seed %d, kill %d", seed, kill).isNotNull();
      Thread killer =
          new Thread(
              () -> {
                try {
                  Thread.sleep(random.nextInt(300));
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                // The handle, because the process itself would close what it said as well.
                process.toHandle().destroyForcibly();
              });
      killer.start();
      String before = line;
      for (line = said.readLine(); line != null; line = said.readLine()) {
        acknowledged.add(before);
        before = line;
      }
      // The last line may be cut off by the kill.
      killer.join();
      process.waitFor();
      verify(file, acknowledged, "seed %d, kill %d".formatted(seed, kill));
    }
    assertThat(acknowledged.size()).isGreaterThan(times * 50);
  }

  private static void verify(Path file, Set<String> acknowledged, String where) {
    try (DecisionLog log = SqliteDecisionLog.open(file)) {
      Map<String, LoggedDecision> all = new HashMap<>();
      log.read(
          0,
          Long.MAX_VALUE,
          logged -> assertThat(all.put(logged.decision().id(), logged)).as(where).isNull());
      for (String line : acknowledged) {
        String id = line.substring(2);
        assertThat(all).as("%s: %s", where, line).containsKey(id);
        LoggedDecision logged = Objects.requireNonNull(all.get(id));
        if (line.startsWith("o ")) {
          assertThat(logged.outcomes())
              .as("%s: %s", where, line)
              .anyMatch(o -> o.itemId().equals("x"));
        }
      }
      all.forEach(
          (id, logged) ->
              SqliteDecisionLogTest.assertSame(
                  logged.decision(),
                  SqliteDecisionLogTest.decision(id, "u", logged.decision().timeMillis())));
    }
  }
}
