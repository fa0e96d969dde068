package io.sextant.benchmarks;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.nn.FewShotOptions;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.Als;
import io.sextant.strategy.DenseScores;
import io.sextant.strategy.FewShotSettings;
import io.sextant.strategy.FewShotStrategy;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.UserState;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.TrainingOptions;
import java.util.ArrayList;
import java.util.List;

/**
 * Users never seen in training, adapted to their events by a few-shot strategy with the engine's
 * default settings (Meta-SGD) in one batch, and ranked for, the two apart. Not thread-safe.
 */
final class Adapting implements AutoCloseable {

  private static final int K = 100;
  private static final int TRAINING_USERS = 1000;
  private static final int EVENTS_PER_ITEM = 4;

  private final FittedStrategy fitted;
  private final DenseScores dense;
  private final List<UserState> users = new ArrayList<>();
  private final TopK topK = new TopK();
  private final Scope scope;
  private final NDArray queries;

  /**
   * @param users how many are adapted
   * @param events of each
   */
  Adapting(int users, int items, int dimension, int events, Device device) {
    Workload workload =
        Workload.random(new Sizes(TRAINING_USERS, items, dimension, items), EVENTS_PER_ITEM);
    Interactions rows = SextantTraining.interactions(workload);
    FewShotOptions adaptation = FewShotOptions.builder().maxEvents(events).build();
    FewShotSettings settings =
        new FewShotSettings(
            adaptation, TrainingOptions.builder().epochs(1).batchSize(128).patience(0).build());
    Als base = Als.builder().factors(dimension).epochs(1).build();
    fitted = FewShotStrategy.of(settings, base).fit(FitContext.of(device, Dataset.of(rows)));
    dense = fitted.dense().orElseThrow();
    CounterRandom random = new CounterRandom(1, "adapting-events", 0);
    for (int user = 0; user < users; user++) {
      int[] history = new int[events];
      for (int e = 0; e < events; e++) {
        history[e] = random.nextInt(items);
      }
      this.users.add(UserState.unseen(history));
    }
    scope = Scope.open(device);
    queries = TensorThreads.call(() -> dense.queries(scope, this.users));
  }

  /** Adapts all users; how many there are. */
  long adapt() {
    return TensorThreads.call(
        () -> {
          try (Scope request = scope.child()) {
            return dense.queries(request, users).getShape().get(0);
          }
        });
  }

  /** The scores of the best items of users who are adapted already (B, k). */
  float[] score() {
    return TensorThreads.call(
        () -> topK.search(queries, dense.itemVectors(), Math.min(K, fitted.numItems())).scores());
  }

  @Override
  public void close() {
    topK.close();
    scope.close();
    fitted.close();
  }
}
