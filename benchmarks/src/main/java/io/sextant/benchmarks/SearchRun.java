package io.sextant.benchmarks;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.sextant.RankedLists;
import io.sextant.retrieve.TopK;
import io.sextant.retrieve.TopKOptions;
import io.sextant.tensor.Devices;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Searches of the engine and of its peers in turns: first one, then the other, round by round. */
final class SearchRun {

  private static final int THREADS = 2;
  private static final int CHECKED = 8;

  private SearchRun() {}

  /** The exact best k beside FAISS's and beside BLAS's product alone, for each size of batch. */
  static String exact(int numItems, int dimension, int k, int rounds, int[] batches) {
    float[] items = Vectors.normal(numItems, dimension, 1);
    List<String> results = new ArrayList<>();
    try (SearchPeer peer = new SearchPeer(dimension, THREADS);
        TopK topK = new TopK(TopKOptions.builder().threads(THREADS).build());
        Scope scope = Scope.open(Devices.parse("cpu"))) {
      Path itemsFile = peer.write("items", items);
      JsonNode flat = peer.open(SearchPeer.Kind.FLAT, itemsFile, Map.of("threads", THREADS));
      JsonNode product = peer.open(SearchPeer.Kind.PRODUCT, itemsFile, Map.of());
      for (JsonNode opened : List.of(flat, product)) {
        if (opened.has("absent")) {
          return "\"skipped\": \"%s\"".formatted(opened.get("absent").asText());
        }
      }
      NDArray catalogue =
          TensorThreads.call(() -> HostArrays.floats(scope.manager(), items, numItems, dimension));
      for (int batch : batches) {
        int numQueries = batch * Math.max(1, 512 / Math.max(8, batch));
        float[] queries = Vectors.normal(numQueries, dimension, 2 + batch);
        Path file = peer.write("queries", queries);
        check(
            "faiss",
            items,
            queries,
            dimension,
            k,
            peer.found(SearchPeer.Kind.FLAT, file, batch, k, Map.of()));
        check(
            "sextant",
            items,
            queries,
            dimension,
            k,
            TensorThreads.call(() -> search(topK, catalogue, queries, batch, k)).items());
        double[][] rates = new double[3][rounds];
        for (int round = -3; round < rounds; round++) {
          double[] seconds = {
            TensorThreads.call(() -> seconds(topK, catalogue, queries, batch, k)),
            peer.search(SearchPeer.Kind.FLAT, file, batch, k, Map.of()),
            peer.search(SearchPeer.Kind.PRODUCT, file, batch, k, Map.of())
          };
          for (int who = 0; round >= 0 && who < rates.length; who++) {
            rates[who][round] = numQueries / seconds[who];
          }
        }
        results.add(
            "{\"batch\": %d, \"queries\": %d, \"sextant\": %s, \"faiss\": %s, \"product\": %s, \"toFaiss\": %s, \"toProduct\": %s}"
                .formatted(
                    batch,
                    numQueries,
                    Spread.of(rates[0]),
                    Spread.of(rates[1]),
                    Spread.of(rates[2]),
                    Spread.ofRatios(rates[0], rates[1]),
                    Spread.ofRatios(rates[0], rates[2])));
      }
      return "\"items\": %d, \"dimension\": %d, \"k\": %d, \"rounds\": %d, \"threads\": %d, \"unit\": \"queries/s\", \"peer\": \"%s\", \"batches\": [%s]"
          .formatted(
              numItems,
              dimension,
              k,
              rounds,
              THREADS,
              flat.get("version").asText(),
              String.join(", ", results));
    }
  }

  private static double seconds(TopK topK, NDArray catalogue, float[] queries, int batch, int k) {
    long start = System.nanoTime();
    search(topK, catalogue, queries, batch, k);
    return (System.nanoTime() - start) / 1e9;
  }

  /** All queries, so many at a time; the first {@value #CHECKED} lists or more. */
  private static RankedLists search(
      TopK topK, NDArray catalogue, float[] queries, int batch, int k) {
    int dimension = (int) catalogue.getShape().get(1);
    List<RankedLists> lists = new ArrayList<>();
    try (Scope scope = Scope.open(catalogue.getDevice())) {
      for (int from = 0; from < queries.length; from += batch * dimension) {
        float[] rows = Arrays.copyOfRange(queries, from, from + batch * dimension);
        try (NDArray tensor = HostArrays.floats(scope.manager(), rows, batch, dimension)) {
          lists.add(topK.search(tensor, catalogue, k));
        }
      }
    }
    return lists.get(0);
  }

  /**
   * Compares the first lists with scores in double precision.
   *
   * @throws IllegalStateException if a list holds an item that rounding cannot have put there
   */
  private static void check(
      String who, float[] items, float[] queries, int dimension, int k, int[] found) {
    int lists = Math.min(CHECKED, found.length / k);
    int numItems = items.length / dimension;
    for (int list = 0; list < lists; list++) {
      double[] scores = new double[numItems];
      for (int item = 0; item < numItems; item++) {
        for (int d = 0; d < dimension; d++) {
          scores[item] += (double) queries[list * dimension + d] * items[item * dimension + d];
        }
      }
      double[] sorted = scores.clone();
      Arrays.sort(sorted);
      for (int place = 0; place < k; place++) {
        double best = sorted[numItems - 1 - place];
        double here = scores[found[list * k + place]];
        if (!(Math.abs(best - here) <= 1e-4 * (1 + Math.abs(best)))) {
          throw new IllegalStateException(
              "%s: place %d of list %d scores %f and the oracle %f"
                  .formatted(who, place, list, here, best));
        }
      }
    }
  }
}
