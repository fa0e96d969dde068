package io.sextant.serve;

import io.sextant.strategy.UserState;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One list that is to be computed. It holds its model's memory from its making until it has left
 * the batcher.
 *
 * @param version of the model, acquired
 * @param kind what list
 * @param user for whom; for similar items the history is what the items are to be like
 * @param excluded places that must not be found, ascending
 * @param mask more such places, a bit for each
 * @param n how many items
 * @param directions whether the items' directions are wanted, too
 * @param deadline by {@link System#nanoTime}, after which the list is of no use
 * @param enqueued when it was made, by the same clock
 * @param result what was found; done early if nobody wants it any more
 */
record Job(
    ServedVersion version,
    Kind kind,
    UserState user,
    int[] excluded,
    long[] mask,
    int n,
    boolean directions,
    long deadline,
    long enqueued,
    CompletableFuture<Found> result) {

  /** What list it is to be. */
  enum Kind {
    RANKED,
    WITH_PARTS,
    LOGGED,
    SIMILAR
  }

  /**
   * What was found.
   *
   * @param places best first
   * @param scores of them
   * @param parts of each score by strategy; empty unless wanted
   * @param directions of the items, one after the other; empty unless wanted and there are any
   * @param evidence what decided; null unless it is to be logged
   */
  record Found(
      int[] places,
      float[] scores,
      List<Map<String, Float>> parts,
      float[] directions,
      @Nullable Evidence evidence) {}

  /**
   * What decided.
   *
   * @param strategyScores for each place what each strategy says
   * @param inputs what the policy knew of the user
   * @param gates how it weighed the strategies
   */
  record Evidence(List<float[]> strategyScores, float[] inputs, float[] gates) {}

  /** Requests of one group are computed together. */
  Object group() {
    return List.of(version, kind, version.model().group(n));
  }
}
