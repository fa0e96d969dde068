package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.store.BundleWriter;
import io.sextant.store.TensorSource;
import io.sextant.strategy.Als;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A bundle in a temporary folder: one dense strategy (least squares from ten items of history to a
 * query) over random item vectors. Users are u0, u1, ... and items i0, i1, ...
 */
final class ServedBundle implements AutoCloseable {

  private static final int HISTORY = 10;

  private final Path temporary;

  ServedBundle(int users, int items, int dimension) {
    try {
      temporary = Files.createTempDirectory("sextant-serving");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    write(folder(), users, items, dimension);
  }

  Path folder() {
    return temporary.resolve("bundle");
  }

  private static void write(Path directory, int users, int items, int dimension) {
    Random random = new Random(1);
    float[] vectors = new float[items * dimension];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = 0.1f * (float) random.nextGaussian();
    }
    BundleWriter writer = new BundleWriter();
    try (FittedStrategy shape = smallModel(dimension)) {
      writer.strategy(
          "als",
          shape.type(),
          shape.configJson(),
          List.of(TensorSource.of("items.vectors", vectors, items, dimension)));
    }
    int[][] histories = new int[users][];
    for (int user = 0; user < users; user++) {
      histories[user] = random.ints(HISTORY, 0, items).toArray();
    }
    writer
        .users(ids("u", users))
        .items(ids("i", items))
        .histories(user -> histories[user])
        .write(directory);
  }

  /** A model of two items, for the sake of its configuration. */
  private static FittedStrategy smallModel(int dimension) {
    Interactions.Builder rows =
        Interactions.builder(SextantTraining.ids("u", 1), SextantTraining.ids("i", 2));
    rows.add(0, 0, EventType.VIEW, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
    return Als.builder()
        .factors(dimension)
        .epochs(1)
        .build()
        .fit(FitContext.of(Device.cpu(), Dataset.of(rows.build())));
  }

  private static List<String> ids(String prefix, int count) {
    List<String> ids = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      ids.add(prefix + i);
    }
    return ids;
  }

  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(temporary)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
