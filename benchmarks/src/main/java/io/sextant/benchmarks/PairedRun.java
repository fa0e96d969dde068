package io.sextant.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.retrieve.TopK;
import io.sextant.tensor.Devices;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.Locale;

/**
 * Runs the engine and plain DJL in turns in one JVM, so that a noisy machine hits both alike.
 *
 * <p>Arguments: {@code train USERS ITEMS DIMENSION BATCH PAIRS}, {@code tables ITEMS DIMENSION
 * BATCH USERS...} or {@code score USERS ITEMS DIMENSION PAIRS WARMUP}. Prints a JSON object a line.
 */
public final class PairedRun {

  private static final int STEPS = 24;

  private PairedRun() {}

  /** Runs one comparison. */
  public static void main(String[] args) {
    int[] n = Arrays.stream(args).skip(1).mapToInt(Integer::parseInt).toArray();
    String what = args.length == 0 ? "" : args[0];
    switch (what) {
      case "train" -> train(new Sizes(n[0], n[1], n[2], n[3]), n[4]);
      case "tables" -> tables(n);
      case "score" -> score(n[0], n[1], n[2], n[3], n[4]);
      default -> throw new IllegalArgumentException("name train, tables or score, not " + what);
    }
  }

  private static void train(Sizes sizes, int pairs) {
    double[] ours = new double[pairs];
    double[] plain = new double[pairs];
    try (SextantTraining sextant = new SextantTraining(sizes, Devices.parse("cpu"), STEPS);
        PlainDjl peer = new PlainDjl(sizes, Devices.parse("cpu"))) {
      sextant.train();
      peer.train(1);
      for (int pair = 0; pair < pairs; pair++) {
        ours[pair] = sextant.train().examplesPerSecond();
        long start = System.nanoTime();
        peer.train(1);
        plain[pair] = sizes.batch() / ((System.nanoTime() - start) / 1e9);
      }
    }
    report("train " + sizes, "examples/s", ours, plain);
  }

  private static void tables(int[] n) {
    for (int users : Arrays.copyOfRange(n, 3, n.length)) {
      Sizes sizes = new Sizes(users, n[0], n[1], n[2]);
      try (SextantTraining sextant = new SextantTraining(sizes, Devices.parse("cpu"), STEPS)) {
        sextant.train();
        double[] rates = new double[3];
        for (int i = 0; i < rates.length; i++) {
          rates[i] = sextant.train().examplesPerSecond();
        }
        Arrays.sort(rates);
        System.out.printf(
            Locale.ROOT,
            "{\"run\": \"table %s\", \"microsecondsPerExample\": %.3f, \"min\": %.3f, \"max\": %.3f}%n",
            sizes,
            1e6 / rates[1],
            1e6 / rates[2],
            1e6 / rates[0]);
      }
    }
  }

  private static void score(int users, int items, int width, int pairs, int warmup) {
    double[] ours = new double[pairs];
    double[] plain = new double[pairs];
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Devices.parse("cpu"));
              TopK topK = new TopK()) {
            NDArray queries = normal(scope, users, width);
            NDArray catalogue = normal(scope, items, width);
            for (int round = -warmup; round < pairs; round++) {
              long start = System.nanoTime();
              topK.search(queries, catalogue, 100);
              long middle = System.nanoTime();
              PlainDjl.topK(queries, catalogue, 100);
              long end = System.nanoTime();
              if (round >= 0) {
                ours[round] = users / ((middle - start) / 1e9);
                plain[round] = users / ((end - middle) / 1e9);
              }
            }
          }
        });
    report("score B=%d I=%d d=%d k=100".formatted(users, items, width), "users/s", ours, plain);
  }

  static NDArray normal(Scope scope, long rows, long columns) {
    return scope.manager().randomNormal(0, 1, new Shape(rows, columns), DataType.FLOAT32);
  }

  private static void report(String run, String unit, double[] ours, double[] plain) {
    double[] ratios = new double[ours.length];
    Arrays.setAll(ratios, i -> ours[i] / plain[i]);
    System.out.printf(
        Locale.ROOT,
        "{\"run\": \"%s\", \"unit\": \"%s\", \"sextant\": %.1f, \"plainDjl\": %.1f, \"ratio\": %.2f,"
            + " \"ratioMin\": %.2f, \"ratioMax\": %.2f, \"pairs\": %d}%n",
        run,
        unit,
        median(ours),
        median(plain),
        median(ratios),
        Arrays.stream(ratios).min().orElseThrow(),
        Arrays.stream(ratios).max().orElseThrow(),
        ratios.length);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }
}
