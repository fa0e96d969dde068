package io.sextant.benchmarks;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.sextant.RankedLists;
import io.sextant.retrieve.CompactIndex;
import io.sextant.retrieve.CompactOptions;
import io.sextant.retrieve.ExactIndex;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.GraphIndex;
import io.sextant.retrieve.GraphOptions;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.IndexedItems;
import io.sextant.retrieve.ItemIndex;
import io.sextant.retrieve.TopK;
import io.sextant.retrieve.TopKOptions;
import io.sextant.tensor.Devices;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** The engine's indices beside each other and beside hnswlib, in turns. Not thread-safe. */
final class GraphRun implements AutoCloseable {

  private static final int THREADS = 2;

  /** Widths that are tried until one finds enough, each a tenth or so above the last. */
  private static final int MAX_WIDTH = 4000;

  /** How often a setting of hnswlib is timed before the faster one is taken. */
  private static final int TRIALS = 3;

  private final int k;
  private final int dimension;
  private final float[] items;
  private final float[] queries;
  private final Scope scope = Scope.open(Devices.parse("cpu"));
  private final TopK topK = new TopK(TopKOptions.builder().threads(THREADS).build());
  private final NDArray vectors;

  /** Vectors like those of trained models ({@link Vectors.Trained}). */
  GraphRun(int numItems, int numQueries, int dimension, int k) {
    this.k = k;
    this.dimension = dimension;
    Vectors.Trained data = Vectors.Trained.of(numItems, numQueries, dimension, 1);
    items = data.items();
    queries = data.queries();
    vectors =
        TensorThreads.call(() -> HostArrays.floats(scope.manager(), items, numItems, dimension));
  }

  /**
   * Queries a second of the exact index, of the graph and of hnswlib's graph, both at the narrowest
   * width whose lists hold the share of the best k; hnswlib with the faster of its settings.
   */
  String graph(double recall, int rounds) {
    int numQueries = queries.length / dimension;
    try (ItemIndex exact = ExactIndex.with(topK).build(IndexedItems.of(vectors));
        SearchPeer peer = new SearchPeer(dimension, THREADS)) {
      RankedLists best = search(exact, 256);
      long start = System.nanoTime();
      try (GraphIndex graph =
          GraphIndex.build(
              IndexedItems.of(vectors), GraphOptions.builder().threads(THREADS).build())) {
        double seconds = (System.nanoTime() - start) / 1e9;
        Found ours = narrowest(best, recall, w -> search(graph.atWidth(w), 256).items());
        GraphIndex tuned = graph.atWidth(ours.width);
        Path file = peer.write("queries", queries);
        Path itemsFile = peer.write("items", items);
        List<Rival> rivals = new ArrayList<>();
        for (SearchPeer.Kind kind : List.of(SearchPeer.Kind.HNSW, SearchPeer.Kind.HNSW_DENSE)) {
          JsonNode opened = peer.open(kind, itemsFile, settings(kind));
          if (opened.has("absent")) {
            return "\"skipped\": \"%s\"".formatted(opened.get("absent").asText());
          }
          Found found =
              narrowest(best, recall, w -> peer.found(kind, file, 256, k, Map.of("width", w)));
          Map<String, Integer> width = Map.of("width", found.width);
          double time =
              IntStream.range(0, TRIALS)
                  .mapToDouble(trial -> peer.search(kind, file, 1, k, width))
                  .min()
                  .orElseThrow();
          rivals.add(new Rival(kind, found, opened.get("seconds").asDouble(), time));
        }
        Rival faster = Collections.min(rivals, Comparator.comparingDouble(Rival::time));
        List<String> batches = new ArrayList<>();
        for (int batch : new int[] {1, 256}) {
          double[][] rates = new double[3][rounds];
          for (int round = -2; round < rounds; round++) {
            double[] times = {
              seconds(exact, batch),
              seconds(tuned, batch),
              peer.search(faster.kind, file, batch, k, Map.of("width", faster.found.width))
            };
            for (int who = 0; round >= 0 && who < rates.length; who++) {
              rates[who][round] = numQueries / times[who];
            }
          }
          batches.add(
              "{\"batch\": %d, \"exact\": %s, \"graph\": %s, \"hnswlib\": %s, \"toExact\": %s, \"toHnswlib\": %s}"
                  .formatted(
                      batch,
                      Spread.of(rates[0]),
                      Spread.of(rates[1]),
                      Spread.of(rates[2]),
                      Spread.ofRatios(rates[1], rates[0]),
                      Spread.ofRatios(rates[1], rates[2])));
        }
        return String.format(
            Locale.ROOT,
            "%s, \"graph\": %s, \"graphBuildSeconds\": %.1f, \"hnswlib\": %s, \"hnswlibSettings\": \"%s\", \"hnswlibBuildSeconds\": %.1f, \"rounds\": %d, \"unit\": \"queries/s\", \"batches\": [%s]",
            sizes(),
            ours,
            seconds,
            faster.found,
            settings(faster.kind),
            faster.buildSeconds,
            rounds,
            String.join(", ", batches));
      }
    }
  }

  /** Queries a second of the exact index and of the compact ones, for each size of batch. */
  String compact(int rounds, int[] batches) {
    IndexBuilder[] builders = {
      ExactIndex.with(topK),
      CompactIndex.with(topK, CompactOptions.of(CompactOptions.Precision.FLOAT16)),
      CompactIndex.with(topK, CompactOptions.of(CompactOptions.Precision.INT8))
    };
    String[] names = {"exact", "float16", "int8"};
    ItemIndex[] indices = new ItemIndex[builders.length];
    try {
      for (int i = 0; i < indices.length; i++) {
        indices[i] = builders[i].build(IndexedItems.of(vectors));
      }
      RankedLists best = search(indices[0], 256);
      List<String> results = new ArrayList<>();
      for (int i = 1; i < indices.length; i++) {
        CompactIndex index = (CompactIndex) indices[i];
        double recall = recall(best.items(), search(index, 256).items());
        results.add(
            String.format(
                Locale.ROOT,
                "\"%s\": {\"recall\": %.5f, \"recomputed\": %d, \"lists\": %d}",
                names[i],
                recall,
                index.recomputed(),
                best.size()));
      }
      for (int batch : batches) {
        double[][] rates = new double[indices.length][rounds];
        for (int round = -2; round < rounds; round++) {
          for (int i = 0; i < indices.length; i++) {
            double time = seconds(indices[i], batch);
            if (round >= 0) {
              rates[i][round] = queries.length / dimension / time;
            }
          }
        }
        results.add(
            "\"batch%d\": {\"exact\": %s, \"float16ToExact\": %s, \"int8ToExact\": %s}"
                .formatted(
                    batch,
                    Spread.of(rates[0]),
                    Spread.ofRatios(rates[1], rates[0]),
                    Spread.ofRatios(rates[2], rates[0])));
      }
      return sizes() + ", \"unit\": \"queries/s\", " + String.join(", ", results);
    } finally {
      for (ItemIndex index : indices) {
        if (index != null) {
          index.close();
        }
      }
    }
  }

  private String sizes() {
    return "\"items\": %d, \"queries\": %d, \"dimension\": %d, \"k\": %d"
        .formatted(items.length / dimension, queries.length / dimension, dimension, k);
  }

  private static Map<String, Integer> settings(SearchPeer.Kind kind) {
    boolean dense = kind == SearchPeer.Kind.HNSW_DENSE;
    return new TreeMap<>(
        Map.of(
            "threads",
            THREADS,
            "m",
            dense ? 32 : 16,
            "construction",
            dense ? 400 : 200,
            "seed",
            1));
  }

  /** hnswlib with one of its settings, and its least time for all queries one by one. */
  private record Rival(SearchPeer.Kind kind, Found found, double buildSeconds, double time) {}

  /** A width and the share of the best k that it finds. */
  private record Found(int width, double recall) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "{\"width\": %d, \"recall\": %.4f}", width, recall);
    }
  }

  private Found narrowest(RankedLists best, double recall, IntFunction<int[]> search) {
    double found = 0;
    for (int width = k; width <= MAX_WIDTH; width += Math.max(1, width / 10)) {
      found = recall(best.items(), search.apply(width));
      if (found >= recall) {
        return new Found(width, found);
      }
    }
    throw new IllegalStateException("no width finds enough: the last found " + found);
  }

  private double recall(int[] best, int[] found) {
    int hits = 0;
    for (int from = 0; from < best.length; from += k) {
      Set<Integer> list = new HashSet<>();
      Arrays.stream(best, from, from + k).forEach(list::add);
      hits += (int) Arrays.stream(found, from, from + k).filter(list::contains).count();
    }
    return (double) hits / best.length;
  }

  private double seconds(ItemIndex index, int batch) {
    long start = System.nanoTime();
    search(index, batch);
    return (System.nanoTime() - start) / 1e9;
  }

  /** All lists, so many at a time. */
  private RankedLists search(ItemIndex index, int batch) {
    int numQueries = queries.length / dimension;
    int[] found = new int[numQueries * k];
    float[] scores = new float[found.length];
    int[] lengths = new int[numQueries];
    TensorThreads.run(
        () -> {
          for (int first = 0; first < numQueries; first += batch) {
            int n = Math.min(batch, numQueries - first);
            float[] rows = Arrays.copyOfRange(queries, first * dimension, (first + n) * dimension);
            try (Scope step = scope.child()) {
              NDArray tensor = HostArrays.floats(step.manager(), rows, n, dimension);
              RankedLists lists = index.search(tensor, k, ExcludedItems.NONE);
              System.arraycopy(lists.items(), 0, found, first * k, n * k);
              System.arraycopy(lists.scores(), 0, scores, first * k, n * k);
              System.arraycopy(lists.lengths(), 0, lengths, first, n);
            }
          }
        });
    return new RankedLists(k, found, scores, lengths);
  }

  @Override
  public void close() {
    topK.close();
    scope.close();
  }
}
