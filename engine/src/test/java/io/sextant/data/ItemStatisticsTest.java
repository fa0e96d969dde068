package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ItemStatisticsTest {

  private static final long T = 1_600_000_000_000L;
  private static final float NONE = Float.NaN;
  private static final InteractionFeatures UNKNOWN = InteractionFeatures.UNKNOWN;

  @Test
  void countsAndAgesAreThoseAtTheLatestInteraction() {
    // Ages in days; 7 and 30 lie just outside of their windows.
    Map<String, float[]> columns =
        columns(rows(new double[] {0, 6, 7, 29, 30}, new double[] {90}, new double[] {}), 6);
    assertThat(columns.get("logCount")).containsExactly(log1p(5, 1, 0));
    assertThat(columns.get("logCount7Days")).containsExactly(log1p(2, 0, 0));
    assertThat(columns.get("logCount30Days")).containsExactly(log1p(4, 0, 0));
    double decayed =
        1
            + Math.pow(2, -6 / 45.0)
            + Math.pow(2, -7 / 45.0)
            + Math.pow(2, -29 / 45.0)
            + Math.pow(2, -30 / 45.0);
    assertThat(columns.get("logDecayedCount")).containsExactly(log1p(decayed, 0.25, 0));
    assertThat(columns.get("logDaysSinceFirst")).containsExactly(log1p(30, 90, NONE));
    assertThat(columns.get("logDaysSinceLast")).containsExactly(log1p(0, 90, NONE));
  }

  @Test
  void whatComesAfterTheCutIsNotSeen() {
    Interactions all = rows(new double[] {0, 10, 20}, new double[] {10});
    Interactions train = all.filter(row -> all.timeAt(row) < all.maxTime());
    Map<String, float[]> columns = columns(train, 6);
    assertThat(columns.get("logCount")).containsExactly(log1p(2, 1));
    assertThat(columns.get("logDaysSinceFirst"))
        .as("ages count from the cut")
        .isEqualTo(log1p(10, 0));
    assertThat(columns.get("logDaysSinceLast")).containsExactly(log1p(0, 0));
    assertThat(columns.get("logCount7Days")).containsExactly(log1p(1, 1));
  }

  @Test
  void withoutTimesThereAreOnlyCounts() {
    Interactions.Builder rows = Interactions.builder(ids("u", 1), ids("i", 2));
    for (int item : new int[] {1, 1, 0, 1}) {
      rows.add(0, item, EventType.CLICK, NONE, 1, Event.NO_TIME, UNKNOWN);
    }
    Map<String, float[]> columns = columns(rows.build(), 1);
    assertThat(columns.get("logCount")).containsExactly(log1p(1, 3));
  }

  @Test
  void withoutInteractionsNothingIsKnown() {
    Map<String, float[]> columns = columns(Interactions.empty(ids("u", 1), ids("i", 2)), -1);
    assertThat(columns.get("logCount")).containsExactly(0, 0);
  }

  private static Interactions rows(double[]... agesOfItems) {
    Interactions.Builder rows = Interactions.builder(ids("u", 2), ids("i", agesOfItems.length));
    long day = TimeUnit.DAYS.toMillis(1);
    for (int item = 0; item < agesOfItems.length; item++) {
      for (double age : agesOfItems[item]) {
        // The weight of a row changes no count.
        rows.add(item % 2, item, EventType.CLICK, NONE, 3, T - (long) (age * day), UNKNOWN);
      }
    }
    return rows.build();
  }

  private static Map<String, float[]> columns(Interactions train, int count) {
    Map<String, float[]> columns = new LinkedHashMap<>();
    ItemStatistics.columns(train).forEach(c -> columns.put(c.name(), c.values()));
    if (count >= 0) {
      assertThat(columns).hasSize(count);
    }
    return columns;
  }

  private static float[] log1p(double... values) {
    float[] logs = new float[values.length];
    for (int i = 0; i < logs.length; i++) {
      logs[i] = (float) Math.log1p(values[i]);
    }
    return logs;
  }

  private static IdIndex ids(String prefix, int count) {
    return IdIndex.of(IntStream.range(0, count).mapToObj(i -> prefix + i).toList());
  }
}
