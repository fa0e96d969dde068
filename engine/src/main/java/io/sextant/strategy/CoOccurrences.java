package io.sextant.strategy;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/**
 * How often items occur with each other: {@code c_ij = sum over the users who have both of w_u},
 * row after row, on all cores. O(sum of the squared degrees of users) time; a thread needs 12 bytes
 * an item.
 */
final class CoOccurrences {

  /** Takes one item's row; called on several threads, for different items. */
  interface RowConsumer {

    /**
     * @param sums c_ij of item i, valid during the call
     */
    void accept(int item, ScoreSums sums);
  }

  private CoOccurrences() {}

  /**
   * Computes all rows.
   *
   * @param byUser users by items
   * @param byItem its transpose
   * @param userWeights w_u
   */
  static void forEachRow(
      BinaryMatrix byUser, BinaryMatrix byItem, float[] userWeights, RowConsumer consumer) {
    Queue<ScoreSums> idle = new ConcurrentLinkedQueue<>();
    IntStream.range(0, byItem.numRows())
        .parallel()
        .forEach(
            item -> {
              ScoreSums idleSums = idle.poll();
              ScoreSums sums = idleSums == null ? new ScoreSums(byItem.numRows()) : idleSums;
              for (int at = byItem.starts()[item]; at < byItem.starts()[item + 1]; at++) {
                int user = byItem.columns()[at];
                for (int other = byUser.starts()[user];
                    other < byUser.starts()[user + 1];
                    other++) {
                  sums.add(byUser.columns()[other], userWeights[user]);
                }
              }
              consumer.accept(item, sums);
              sums.clear();
              idle.add(sums);
            });
  }
}
