package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.tensor.Devices;
import io.sextant.tensor.TensorThreads;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Runs things in turns in one JVM, so that a noisy machine hits all alike, and prints a JSON object
 * a line: medians, spread from least to greatest, and the machine's load average before and after.
 */
public final class PairedRun {

  private static final int STEPS = 24;
  private static final int WARMUP_TURNS = 10;

  private static final String USAGE =
      """
      PairedRun train USERS ITEMS DIMENSION BATCH PAIRS     the engine and plain DJL in turns
      PairedRun torch USERS ITEMS DIMENSION BATCH ROUNDS    the engine and PyTorch in turns
      PairedRun als RANK ITERATIONS ROUNDS                  least squares on Gowalla and Spark's in turns
      PairedRun tables ITEMS DIMENSION BATCH ROUNDS USERS...  cost by table size, in turns
      PairedRun score USERS ITEMS DIMENSION PAIRS WARMUP    the engine and plain DJL in turns
      PairedRun exact ITEMS DIMENSION K ROUNDS BATCHES...   exact search, FAISS's and BLAS's product in turns
      PairedRun graph ITEMS QUERIES DIMENSION K PERCENT ROUNDS  the graph, the exact index and hnswlib at equal recall
      PairedRun compact ITEMS QUERIES DIMENSION K ROUNDS BATCHES...  half and quarter of the memory in turns
      PairedRun evaluate DIMENSION BATCH ROUNDS             ranking all of Gowalla's users and an epoch in turns
      PairedRun policy ITEMS BATCH CANDIDATES ROUNDS        what gates and re-scoring add, in turns
      PairedRun weighting USERS ITEMS DIMENSION BATCH ROUNDS  what a policy that weighs examples adds, in turns
      PairedRun adapting USERS ITEMS DIMENSION EVENTS ROUNDS  adapting unseen users and scoring them in turns
      PairedRun serve USERS ITEMS DIMENSION CALLERS REQUESTS PAIRS  requests in batches and one by one in turns
      PairedRun load USERS ITEMS DIMENSION SECONDS ROUNDS   sextant serve under load from a second process
      PairedRun log DECISIONS CANDIDATES CALLERS PAIRS      the decision log and plain batched inserts in turns
      PairedRun served-logging USERS ITEMS DIMENSION PER_SECOND REQUESTS PAIRS  requests at a rate, logged and not in turns
      PairedRun memory STEPS WARMUP                         growth over training steps and scoring batches\
      """;

  private PairedRun() {}

  /** Runs one comparison. */
  public static void main(String[] args) {
    String what = args.length == 0 ? "" : args[0];
    int[] n;
    try {
      n = Arrays.stream(args).skip(1).mapToInt(Integer::parseInt).toArray();
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("all arguments but the first are numbers\n" + USAGE, e);
    }
    boolean complete =
        switch (what) {
          case "train", "torch", "score", "weighting", "adapting", "load" -> n.length == 5;
          case "tables" -> n.length >= 6;
          case "als", "evaluate" -> n.length == 3;
          case "policy", "log" -> n.length == 4;
          case "exact" -> n.length >= 5;
          case "graph" -> n.length == 6;
          case "compact" -> n.length >= 6;
          case "serve", "served-logging" -> n.length == 6;
          case "memory" -> n.length == 2;
          default -> false;
        };
    if (!complete) {
      throw new IllegalArgumentException("usage:\n" + USAGE);
    }
    double load = load();
    String result =
        switch (what) {
          case "train" -> train(new Sizes(n[0], n[1], n[2], n[3]), n[4]);
          case "torch" -> TorchRun.run(new Sizes(n[0], n[1], n[2], n[3]), n[4]);
          case "als" -> new AlsRun(AlsRun.gowalla(), n[0], n[1]).run(SparkPeer.classPath(), n[2]);
          case "tables" -> tables(n[0], n[1], n[2], n[3], Arrays.copyOfRange(n, 4, n.length));
          case "score" -> score(n[0], n[1], n[2], n[3], n[4]);
          case "exact" ->
              SearchRun.exact(n[0], n[1], n[2], n[3], Arrays.copyOfRange(n, 4, n.length));
          case "graph", "compact" -> indices(what, n);
          case "evaluate" -> EvaluateRun.run(n[0], n[1], n[2]);
          case "policy" -> policy(n[0], n[1], n[2], n[3]);
          case "log" -> log(n[0], n[1], n[2], n[3]);
          case "adapting" -> adapting(n[0], n[1], n[2], n[3], n[4]);
          case "weighting" -> weighting(new Sizes(n[0], n[1], n[2], n[3]), n[4]);
          case "load" -> load(n[0], n[1], n[2], n[3], n[4]);
          case "served-logging" -> servedLogging(n[0], n[1], n[2], n[3], n[4], n[5]);
          case "serve" -> serve(n[0], n[1], n[2], n[3], n[4], n[5]);
          default -> memory(n[0], n[1]);
        };
    System.out.println(
        format("{\"run\": \"%s\", %s, \"load\": [%.1f, %.1f]}", what, result, load, load()));
  }

  private static String train(Sizes sizes, int pairs) {
    Workload workload = Workload.random(sizes, STEPS);
    Device device = Devices.parse("cpu");
    double[] ours = new double[pairs];
    double[] plain = new double[pairs];
    try (Training sextant = Peer.SEXTANT.open(workload, device);
        Training peer = Peer.PLAIN_DJL.open(workload, device)) {
      for (int turn = 0; turn < WARMUP_TURNS; turn++) {
        sextant.train();
      }
      peer.train();
      peer.train();
      for (int pair = 0; pair < pairs; pair++) {
        ours[pair] = sextant.train().examplesPerSecond();
        plain[pair] = peer.train().examplesPerSecond();
      }
    }
    return format(
        "\"sizes\": \"%s\", %s", sizes, compared("examples/s", "sextant", ours, "plainDjl", plain));
  }

  /** Microseconds an example for each number of users, and its ratio to that of the first. */
  private static String tables(int items, int dimension, int batch, int rounds, int[] users) {
    List<Training> trainings = new ArrayList<>();
    try {
      for (int count : users) {
        Workload workload = Workload.random(new Sizes(count, items, dimension, batch), STEPS);
        trainings.add(Peer.SEXTANT.open(workload, Devices.parse("cpu")));
      }
      double[][] costs = new double[users.length][rounds];
      double[][] ratios = new double[users.length][rounds];
      for (int round = -WARMUP_TURNS; round < rounds; round++) {
        for (int size = 0; size < users.length; size++) {
          double cost = 1e6 / trainings.get(size).train().examplesPerSecond();
          if (round >= 0) {
            costs[size][round] = cost;
            ratios[size][round] = cost / costs[0][round];
          }
        }
      }
      StringBuilder tables = new StringBuilder();
      for (int size = 0; size < users.length; size++) {
        tables.append(
            format(
                "%s{\"users\": %d, \"microsecondsPerExample\": %s, \"ratioToFirst\": %s}",
                size == 0 ? "" : ", ",
                users[size],
                Spread.of(costs[size]),
                Spread.of(ratios[size])));
      }
      return format(
          "\"items\": %d, \"dimension\": %d, \"batch\": %d, \"rounds\": %d, \"tables\": [%s]",
          items, dimension, batch, rounds, tables);
    } finally {
      trainings.forEach(Training::close);
    }
  }

  private static String score(int users, int items, int dimension, int pairs, int warmup) {
    double[] ours = new double[pairs];
    double[] plain = new double[pairs];
    try (Scoring scoring = new Scoring(users, items, dimension, 100, Devices.parse("cpu"))) {
      scoring.checkThatPeersAgree();
      TensorThreads.run(
          () -> {
            for (int round = -warmup; round < pairs; round++) {
              long start = System.nanoTime();
              Peer.SEXTANT.search(scoring);
              long middle = System.nanoTime();
              Peer.PLAIN_DJL.search(scoring);
              long end = System.nanoTime();
              if (round >= 0) {
                ours[round] = users / ((middle - start) / 1e9);
                plain[round] = users / ((end - middle) / 1e9);
              }
            }
          });
    }
    return format(
        "\"users\": %d, \"items\": %d, \"dimension\": %d, \"k\": 100, %s",
        users, items, dimension, compared("users/s", "sextant", ours, "plainDjl", plain));
  }

  private static String indices(String what, int[] n) {
    try (GraphRun run = new GraphRun(n[0], n[1], n[2], n[3])) {
      return "graph".equals(what)
          ? run.graph(n[4] / 100.0, n[5])
          : run.compact(n[4], Arrays.copyOfRange(n, 5, n.length));
    }
  }

  /** Requests a second of callers who ask again at once. */
  private static String serve(
      int users, int items, int dimension, int callers, int requests, int pairs) {
    double[] batched = new double[pairs];
    double[] alone = new double[pairs];
    try (Serving serving = new Serving(users, items, dimension)) {
      serving.checkThatBothAgree();
      for (int pair = -2; pair < pairs; pair++) {
        double together = serving.batched(callers, requests);
        double oneByOne = serving.oneByOne(callers, requests);
        if (pair >= 0) {
          batched[pair] = together;
          alone[pair] = oneByOne;
        }
      }
    }
    return format(
        "\"users\": %d, \"items\": %d, \"dimension\": %d, \"k\": 100, \"callers\": %d, \"requests\": %d, %s",
        users,
        items,
        dimension,
        callers,
        requests,
        compared("requests/s", "batched", batched, "oneByOne", alone));
  }

  private static String load(int users, int items, int dimension, int seconds, int rounds) {
    try (ServedBundle bundle = new ServedBundle(users, items, dimension);
        LoadRun run = new LoadRun(bundle.folder(), users)) {
      return format(
          "\"items\": %d, \"dimension\": %d, %s", items, dimension, run.run(seconds, rounds));
    }
  }

  /** Latencies of requests that come at a rate; who goes first changes from turn to turn. */
  static String servedLogging(
      int users, int items, int dimension, int perSecond, int requests, int pairs) {
    double[][] plain = new double[2][pairs];
    double[][] logged = new double[2][pairs];
    try (ServedLogging serving = new ServedLogging(users, items, dimension)) {
      for (int pair = -2; pair < pairs; pair++) {
        ServedLogging.Latencies with = null;
        if (pair % 2 == 0) {
          with = serving.logged(perSecond, requests);
        }
        ServedLogging.Latencies without = serving.plain(perSecond, requests);
        if (with == null) {
          with = serving.logged(perSecond, requests);
        }
        if (pair >= 0) {
          plain[0][pair] = without.p50();
          plain[1][pair] = without.p99();
          logged[0][pair] = with.p50();
          logged[1][pair] = with.p99();
        }
      }
      long there = serving.decisions();
      long made = (pairs + 2L) * requests;
      if (there != made) {
        throw new IllegalStateException(
            "%d of %d decisions are in the log: what is not logged costs nothing"
                .formatted(there, made));
      }
    }
    return format(
        "\"users\": %d, \"items\": %d, \"dimension\": %d, \"candidates\": %d, \"perSecond\": %d, \"requests\": %d, \"p50\": {%s}, \"p99\": {%s}",
        users,
        items,
        dimension,
        ServedLogging.POOL,
        perSecond,
        requests,
        compared("microseconds", "logged", logged[0], "plain", plain[0]),
        compared("microseconds", "logged", logged[1], "plain", plain[1]));
  }

  /** Durable decisions a second of callers who do not wait, and of one who inserts in batches. */
  private static String log(int decisions, int candidates, int callers, int pairs) {
    double[] grouped = new double[pairs];
    double[] plain = new double[pairs];
    Logging logging = new Logging(decisions, candidates);
    for (int pair = -1; pair < pairs; pair++) {
      double ours = logging.grouped(callers);
      double batched = logging.plain();
      if (pair >= 0) {
        grouped[pair] = ours;
        plain[pair] = batched;
      }
    }
    return format(
        "\"decisions\": %d, \"candidates\": %d, \"callers\": %d, \"plainBatch\": %d, %s",
        decisions,
        candidates,
        callers,
        Logging.BATCH,
        compared("decisions/s", "decisionLog", grouped, "plainInserts", plain));
  }

  /** Milliseconds for 1,000 users of stage 1 with fixed weights and with gates, and of stage 2. */
  private static String policy(int items, int batch, int candidates, int rounds) {
    double[] fixed = new double[rounds];
    double[] gated = new double[rounds];
    double[] rescoring = new double[rounds];
    try (Mixing mixing = new Mixing(items, batch, candidates, Devices.parse("cpu"))) {
      for (int round = -WARMUP_TURNS; round < rounds; round++) {
        long start = System.nanoTime();
        mixing.fixed();
        long first = System.nanoTime();
        mixing.gated();
        long second = System.nanoTime();
        mixing.rescored();
        long third = System.nanoTime();
        if (round >= 0) {
          fixed[round] = (first - start) / 1e3 / batch;
          gated[round] = (second - first) / 1e3 / batch;
          rescoring[round] = (third - second) / 1e3 / batch - gated[round];
        }
      }
    }
    return format(
        "\"items\": %d, \"batch\": %d, \"candidates\": %d, \"rounds\": %d, \"unit\": \"ms/1000 users\", \"stageOneFixed\": %s, \"stageOneGated\": %s, \"stageTwo\": %s, \"gatedToFixed\": %s, \"stageTwoToStageOne\": %s",
        items,
        batch,
        candidates,
        rounds,
        Spread.of(fixed),
        Spread.of(gated),
        Spread.of(rescoring),
        Spread.ofRatios(gated, fixed),
        Spread.ofRatios(rescoring, gated));
  }

  /** Milliseconds to adapt all users to their events, and to search the best 100 for them. */
  private static String adapting(int users, int items, int dimension, int events, int rounds) {
    double[] adapting = new double[rounds];
    double[] scoring = new double[rounds];
    try (Adapting fewShot = new Adapting(users, items, dimension, events, Devices.parse("cpu"))) {
      for (int round = -WARMUP_TURNS; round < rounds; round++) {
        long start = System.nanoTime();
        fewShot.adapt();
        long middle = System.nanoTime();
        fewShot.score();
        long end = System.nanoTime();
        if (round >= 0) {
          adapting[round] = (middle - start) / 1e6;
          scoring[round] = (end - middle) / 1e6;
        }
      }
    }
    return format(
        "\"users\": %d, \"items\": %d, \"dimension\": %d, \"events\": %d, \"rounds\": %d, \"unit\": \"ms\", \"adapting\": %s, \"scoring\": %s, \"adaptingToScoring\": %s",
        users,
        items,
        dimension,
        events,
        rounds,
        Spread.of(adapting),
        Spread.of(scoring),
        Spread.ofRatios(adapting, scoring));
  }

  /** Time of an epoch with a policy step at every batch, and at every fourth, to a plain one. */
  private static String weighting(Sizes sizes, int rounds) {
    double[] every = new double[rounds];
    double[] fourth = new double[rounds];
    try (Weighting weighting = new Weighting(sizes, STEPS, Devices.parse("cpu"))) {
      for (int round = -WARMUP_TURNS; round < rounds; round++) {
        double plain = 1 / weighting.plain().examplesPerSecond();
        double one = 1 / weighting.everyBatch().examplesPerSecond();
        double four = 1 / weighting.everyFourth().examplesPerSecond();
        if (round >= 0) {
          every[round] = one / plain;
          fourth[round] = four / plain;
        }
      }
    }
    return format(
        "\"sizes\": \"%s\", \"negatives\": %d, \"rounds\": %d, \"everyBatchToPlain\": %s, \"everyFourthToPlain\": %s",
        sizes, Weighting.NEGATIVES, rounds, Spread.of(every), Spread.of(fourth));
  }

  private static String memory(int steps, int warmup) {
    MemoryRun.Growth training = MemoryRun.train(warmup, steps);
    MemoryRun.Growth scoring = MemoryRun.score(warmup, steps);
    return format(
        "\"steps\": %d, \"warmup\": %d, \"training\": %s, \"scoring\": %s",
        steps, warmup, growth(training), growth(scoring));
  }

  private static String growth(MemoryRun.Growth growth) {
    return format(
        "{\"mebibytesBefore\": %.1f, \"mebibytesAfter\": %.1f, \"percent\": %.2f}",
        growth.before() / 0x1p20, growth.after() / 0x1p20, growth.percent());
  }

  private static String compared(
      String unit, String name, double[] values, String otherName, double[] others) {
    return format(
        "\"unit\": \"%s\", \"pairs\": %d, \"%s\": %s, \"%s\": %s, \"ratio\": %s",
        unit,
        values.length,
        name,
        Spread.of(values),
        otherName,
        Spread.of(others),
        Spread.ofRatios(values, others));
  }

  private static double load() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }

  private static String format(String template, Object... values) {
    return String.format(Locale.ROOT, template, values);
  }
}
