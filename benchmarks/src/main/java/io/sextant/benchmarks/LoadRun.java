package io.sextant.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * {@code sextant serve} in a second process, under load from this one over loopback: what it can
 * answer at most, how long lists take at 70 % of that, what is left at three times that and how
 * soon it is well again, and how long it takes from an event to a list that knows it. Both
 * processes share the cores.
 */
final class LoadRun implements AutoCloseable {

  private static final int K = 20;
  private static final int CALLERS = 64;

  private static final int CONNECTIONS = 256;

  /** Fewer than the service has threads, more than it lets wait: it refuses and cuts nobody off. */
  private static final int OVERLOAD_CONNECTIONS = 1000;

  private static final double USUAL = 0.7;
  private static final double OVERLOAD = 3;
  private static final double AFTERWARDS = 0.5;

  /** After an overload all is well when lists take no longer, or twice the usual p99. */
  private static final double WELL_MILLIS = 50;

  private static final int EVENTS_PER_SECOND = 200;

  private final int users;
  private final Process server;
  private final HttpLoad load;

  /** Starts the service and waits until it listens. */
  LoadRun(Path bundle, int users) {
    this.users = users;
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Dai.djl.offline=true",
            "-cp",
            System.getProperty("java.class.path"),
            "io.sextant.cli.Main",
            "serve",
            "--model",
            bundle.toString(),
            "--port",
            "0");
    try {
      server = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      BufferedReader said = server.inputReader();
      String line = said.readLine();
      if (line == null || !line.contains("http://")) {
        throw new IllegalStateException("the service did not start but said: " + line);
      }
      load = new HttpLoad(Integer.parseInt(line.replaceAll(".*:(\\d+)/?$", "$1")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What one round measured. */
  private record Round(
      double capacity,
      double p50,
      double p99,
      double goodput,
      double recovery,
      double eventP50,
      double eventP99) {}

  /** All rounds, each phase so many seconds. */
  String run(double seconds, int rounds) {
    List<Round> all = new ArrayList<>();
    Map<Integer, Integer> usualStatuses = new TreeMap<>();
    Map<Integer, Integer> overload = new TreeMap<>();
    double warm = 0;
    for (int turn = 0; turn < 3; turn++) {
      warm = capacity(Math.max(500, (int) (warm * seconds)));
    }
    for (int round = 0; round < rounds; round++) {
      double capacity = capacity((int) (warm * seconds));
      HttpLoad.Result usual = open(seconds, round, CONNECTIONS, USUAL * capacity);
      count(usual, usualStatuses);
      HttpLoad.Result much =
          open(seconds, round, OVERLOAD_CONNECTIONS, OVERLOAD * capacity, AFTERWARDS * capacity);
      count(much, overload);
      double p99 = usual.millis(0.99);
      HttpLoad.Result events = events(seconds, round);
      requireLists("after events", events);
      all.add(
          new Round(
              capacity,
              usual.millis(0.5),
              p99,
              much.goodput(seconds),
              much.secondsUntilAllTake(Math.max(2 * p99, WELL_MILLIS), seconds),
              events.millis(0.5),
              events.millis(0.99)));
    }
    return String.format(
        Locale.ROOT,
        "\"users\": %d, \"k\": %d, \"phaseSeconds\": %.1f, \"rounds\": %d, \"capacity\": %s, "
            + "\"usualStatuses\": \"%s\", \"p50ms\": %s, \"p99ms\": %s, \"p99ToP50\": %s, \"overloadGoodputToCapacity\": %s, "
            + "\"overloadStatuses\": \"%s\", \"recoverySeconds\": %s, \"eventP50ms\": %s, \"eventP99ms\": %s",
        users,
        K,
        seconds,
        rounds,
        spread(all, Round::capacity),
        usualStatuses,
        spread(all, Round::p50),
        spread(all, Round::p99),
        spread(all, r -> r.p99 / r.p50),
        spread(all, r -> r.goodput / r.capacity),
        overload,
        spread(all, Round::recovery),
        spread(all, Round::eventP50),
        spread(all, Round::eventP99));
  }

  private static void count(HttpLoad.Result result, Map<Integer, Integer> counts) {
    result.counts().forEach((status, count) -> counts.merge(status, count, Integer::sum));
  }

  private static Spread spread(List<Round> rounds, ToDoubleFunction<Round> value) {
    return Spread.of(rounds.stream().mapToDouble(value).toArray());
  }

  /** Lists a second for callers who ask again as soon as they are answered. */
  private double capacity(int calls) {
    HttpLoad.Result result = load.closed(calls, CALLERS, this::list);
    requireLists("in a closed loop", result);
    return result.goodput(result.seconds());
  }

  private HttpLoad.Result open(double seconds, int round, int connections, double... rates) {
    return load.open(rates, seconds, connections, round, this::list);
  }

  private int list(HttpLoad.Connection connection, int number) throws IOException {
    return connection.post("/v1/recommend", request(number));
  }

  private String request(int number) {
    return "{\"user\": \"u%d\", \"k\": %d}".formatted(number % users, K);
  }

  /** Users get rid of the first item of their lists, which the next one must not hold. */
  private HttpLoad.Result events(double seconds, int round) {
    int n = Math.min(users, (int) (2 * EVENTS_PER_SECOND * seconds) + 100);
    String[] first = new String[n];
    requireLists(
        "before events",
        load.closed(
            n,
            CALLERS,
            (connection, number) -> {
              int status = list(connection, number);
              String answer = connection.answer();
              int at = answer.indexOf("\"id\":\"") + "\"id\":\"".length();
              first[number] = answer.substring(at, answer.indexOf('"', at));
              return status;
            }));
    return load.open(
        new double[] {EVENTS_PER_SECOND},
        seconds,
        CONNECTIONS,
        1000 + round,
        (connection, number) -> {
          String item = first[number % n];
          int recorded =
              connection.post(
                  "/v1/events",
                  "{\"user\": \"u%d\", \"item\": \"%s\"}".formatted(number % n, item));
          if (recorded >= 300) {
            return recorded;
          }
          int status = list(connection, number % n);
          if (connection.answer().contains("\"id\":\"" + item + "\"")) {
            throw new IllegalStateException("the list after an event holds its item");
          }
          return status;
        });
  }

  private static void requireLists(String where, HttpLoad.Result result) {
    if (!result.counts().keySet().equals(Set.of(200))) {
      throw new IllegalStateException(
          "%s not every request got a list: %s".formatted(where, result.counts()));
    }
  }

  @Override
  public void close() {
    server.destroy();
    try {
      server.waitFor();
    } catch (InterruptedException e) {
      server.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
