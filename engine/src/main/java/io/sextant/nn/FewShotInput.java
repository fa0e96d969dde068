package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.sextant.tensor.HostArrays;
import org.jspecify.annotations.Nullable;

/**
 * Users with their events, in the form that {@link FewShotModel} reads.
 *
 * @param events (B, n) items, int64; 0 is padding
 * @param mask (B, n) 1 for an event, 0 for padding
 * @param logCount (B, 1) logarithm of the number of events; 0 without events
 * @param featureRows (B, W) rows of the feature table, or null if there are no features
 * @param featureWeights (B, W) their weights, or null
 */
public record FewShotInput(
    NDArray events,
    NDArray mask,
    NDArray logCount,
    @Nullable NDArray featureRows,
    @Nullable NDArray featureWeights) {

  /**
   * Users with the latest of their events.
   *
   * @param users indices among the features; below 0 for one of whom none is known
   * @param histories items, oldest first
   * @param maxEvents n at most
   */
  public static FewShotInput of(
      NDManager manager, FeatureBags features, int[] users, int[][] histories, int maxEvents) {
    int width = 1;
    for (int[] history : histories) {
      width = Math.max(width, Math.min(maxEvents, history.length));
    }
    int[] events = new int[users.length * width];
    float[] mask = new float[events.length];
    float[] logCount = new float[users.length];
    for (int u = 0; u < users.length; u++) {
      int[] history = histories[u];
      int count = Math.min(maxEvents, history.length);
      for (int e = 0; e < count; e++) {
        events[u * width + e] = history[history.length - count + e];
        mask[u * width + e] = 1;
      }
      logCount[u] = (float) Math.log(Math.max(1, count));
    }
    boolean featured = features.width() > 0;
    return new FewShotInput(
        HostArrays.longs(manager, events, users.length, width),
        HostArrays.floats(manager, mask, users.length, width),
        HostArrays.floats(manager, logCount, users.length, 1),
        featured
            ? HostArrays.longs(manager, features.rowsOf(users), users.length, features.width())
            : null,
        featured
            ? HostArrays.floats(manager, features.weightsOf(users), users.length, features.width())
            : null);
  }
}
