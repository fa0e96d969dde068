package io.sextant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.tensor.Devices;
import java.util.HashMap;
import java.util.Map;

/**
 * Whether another device finds what the CPU finds: on the one that {@code -Dsextant.parity.device}
 * names, {@code cuda} say. Unless told it is the CPU again, so that these tests always run.
 */
public final class Parity {

  private Parity() {}

  /** The device that is compared with the CPU. */
  public static Device device() {
    return Devices.parse(System.getProperty("sextant.parity.device", "cpu"));
  }

  /**
   * The same lists, but for items whose scores differ by no more than the tolerance: those may have
   * changed places, also across the end.
   *
   * @param tolerance times one plus the size of the best score
   */
  public static void assertSameLists(RankedLists actual, RankedLists expected, double tolerance) {
    assertThat(actual.size()).isEqualTo(expected.size());
    for (int list = 0; list < expected.size(); list++) {
      int[] items = actual.itemsOf(list);
      float[] scores = actual.scoresOf(list);
      float[] wanted = expected.scoresOf(list);
      assertThat(items).as("length of list %d", list).hasSize(wanted.length);
      if (wanted.length == 0) {
        continue;
      }
      double within = tolerance * (1 + Math.abs(wanted[0]));
      Map<Integer, Float> scoreOf = new HashMap<>();
      for (int place = 0; place < wanted.length; place++) {
        scoreOf.put(expected.itemsOf(list)[place], wanted[place]);
        assertThat((double) scores[place])
            .as("list %d, place %d", list, place)
            .isCloseTo(wanted[place], within(within));
      }
      float last = wanted[wanted.length - 1];
      for (int place = 0; place < items.length; place++) {
        Float score = scoreOf.get(items[place]);
        // An item that the other list lacks can only have been at its end.
        assertThat((double) scores[place])
            .as("list %d, item %d", list, items[place])
            .isCloseTo(score == null ? last : score, within(within));
      }
    }
  }
}
