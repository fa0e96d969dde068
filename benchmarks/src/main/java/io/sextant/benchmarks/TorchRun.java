package io.sextant.benchmarks;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sextant.tensor.RowOptimizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Training of matrix factorisation beside PyTorch on the CPU, in turns: lazy Adam beside PyTorch's
 * SparseAdam and beside its dense Adam, row-wise Adagrad beside the same by hand.
 */
final class TorchRun {

  private static final int THREADS = 2;

  /** Steps of a turn of the engine and of the fast peers. */
  private static final int STEPS = 24;

  /** Of dense Adam, which takes a second and more for one. */
  private static final int DENSE_STEPS = 3;

  private enum Rival {
    SPARSE_ADAM("sparse_adam", RowOptimizer.Kind.ADAM, STEPS),
    ROW_ADAGRAD("row_adagrad", RowOptimizer.Kind.ADAGRAD, STEPS),
    DENSE_ADAM("dense_adam", RowOptimizer.Kind.ADAM, DENSE_STEPS);

    private final String kind;
    private final RowOptimizer.Kind ours;
    private final int steps;

    Rival(String kind, RowOptimizer.Kind ours, int steps) {
      this.kind = kind;
      this.ours = ours;
      this.steps = steps;
    }
  }

  private TorchRun() {}

  /** Triplets a second and their ratios, rival by rival. */
  static String run(Sizes sizes, int rounds) {
    Workload workload = Workload.random(sizes, STEPS);
    List<String> results = new ArrayList<>();
    String version = "";
    for (Rival rival : Rival.values()) {
      // One rival's tables at a time.
      try (PeerProcess torch = PeerProcess.python("train.py", THREADS);
          SextantTraining engine = new SextantTraining(workload, Device.cpu(), rival.ours)) {
        JsonNode opened = opened(torch, rival, sizes, workload);
        if (opened.has("absent")) {
          return "\"skipped\": \"%s\"".formatted(opened.get("absent").asText());
        }
        version = opened.get("version").asText();
        double[] ours = new double[rounds];
        double[] theirs = new double[rounds];
        int first = 0;
        for (int round = -2; round < rounds; round++) {
          double rate = engine.train().examplesPerSecond();
          ObjectNode turn = PeerProcess.request("turn", rival.kind, Map.of());
          turn.put("first", first).put("steps", rival.steps);
          first += rival.steps;
          double seconds = torch.ask(turn).get("seconds").asDouble();
          if (round >= 0) {
            ours[round] = rate;
            theirs[round] = (double) rival.steps * sizes.batch() / seconds;
          }
        }
        results.add(
            "\"%s\": {\"sextant\": %s, \"torch\": %s, \"ratio\": %s}"
                .formatted(
                    rival.kind, Spread.of(ours), Spread.of(theirs), Spread.ofRatios(ours, theirs)));
      }
    }
    return "\"users\": %d, \"items\": %d, \"dimension\": %d, \"batch\": %d, \"rounds\": %d, \"peer\": \"%s\", \"unit\": \"triplets/s\", %s"
        .formatted(
            sizes.users(),
            sizes.items(),
            sizes.dimension(),
            sizes.batch(),
            rounds,
            version,
            String.join(", ", results));
  }

  private static JsonNode opened(PeerProcess torch, Rival rival, Sizes sizes, Workload workload) {
    Path users = torch.write("users", workload.users());
    Path items = torch.write("items", workload.items());
    Map<String, Integer> options =
        Map.of(
            "users", sizes.users(),
            "items", sizes.items(),
            "dimension", sizes.dimension(),
            "batch", sizes.batch(),
            "threads", THREADS);
    ObjectNode request = PeerProcess.request("open", rival.kind, options);
    request.put("users", users.toString()).put("items", items.toString());
    return torch.ask(request);
  }
}
