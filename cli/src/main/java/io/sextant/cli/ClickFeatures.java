package io.sextant.cli;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The two inputs of the click predictor for each example. As the network adds what it makes of its
 * two inputs, whatever depends on user and item together is a feature of the item input.
 *
 * <p>No feature of an example knows of the example: the history is what came before it, and the
 * evidence of items ({@link ItemEvidence}) comes from the train part
 *
 * <ul>
 *   <li>where there are times: of events of earlier moments only, whoever's they are;
 *   <li>where there is only an order: of all other users, none of whose events can be the
 *       example's. (Some of them are later in time, as in every leave-one-out benchmark.)
 * </ul>
 *
 * <p>Missing values are NaN.
 */
final class ClickFeatures {

  /** So many items of a history, the latest, are compared with the candidate. */
  private static final int RECENT = 20;

  private static final double[] HALF_LIVES_DAYS = {30, 180};
  private static final double DAY_MILLIS = 86_400_000;

  static final List<String> USER =
      List.of("logLength", "meanLogCount", "topAttributeShare", "logIdleDays", "logSpanDays");

  static final List<String> ITEM =
      List.of(
          "logCount",
          "logNeighbours",
          "numAttributes",
          "meanLogAttributeCount",
          "logCount30",
          "logCount180",
          "logDaysSinceFirst",
          "logDaysSinceLast",
          "logLength",
          "maxCosine",
          "meanCosine",
          "lastCosine",
          "logTogether",
          "shareTogether",
          "transitionShare",
          "logTransitions",
          "logRecentTransitions",
          "walk",
          "maxAttributeOverlap",
          "meanAttributeOverlap",
          "lastAttributeOverlap",
          "attributeShare",
          "maxAttributeLift",
          "meanAttributeLift",
          "lastAttributeLift");

  /** The position of an item's popularity in the item input. */
  static final int LOG_COUNT = 0;

  /**
   * Features of the examples.
   *
   * @param users (n, USER)
   * @param items (n, ITEM)
   */
  @SuppressWarnings("ArrayRecordComponent") // Features are lent, not compared.
  record Matrix(float[] users, float[] items) {}

  private final ClickData data;
  private final ItemEvidence evidence;
  private final Times times;
  private final float[] walk;
  private int[] touched = new int[64];
  private int numTouched;

  private ClickFeatures(ClickData data) {
    this.data = data;
    evidence = new ItemEvidence(data.numItems(), data.attributes());
    times = new Times(data.numItems());
    walk = new float[data.numItems()];
  }

  /** The features of each set of examples, in the given order. */
  static List<Matrix> of(ClickData data, List<ClickExamples> sets) {
    List<Matrix> matrices =
        sets.stream()
            .map(
                s ->
                    new Matrix(
                        new float[s.size() * USER.size()], new float[s.size() * ITEM.size()]))
            .toList();
    ClickFeatures features = new ClickFeatures(data);
    if (data.timed()) {
      features.inTimeOrder(sets, matrices);
    } else {
      features.userByUser(sets, matrices);
    }
    return matrices;
  }

  private void userByUser(List<ClickExamples> sets, List<Matrix> matrices) {
    for (int user = 0; user < data.numUsers(); user++) {
      for (int p = 0; p < data.trainLength()[user]; p++) {
        evidence.add(data.items()[user], p);
      }
    }
    int[] at = new int[sets.size()];
    for (int user = 0; user < data.numUsers(); user++) {
      int[] sequence = data.items()[user];
      for (int p = 0; p < data.trainLength()[user]; p++) {
        evidence.remove(sequence, p);
      }
      for (int s = 0; s < at.length; s++) {
        ClickExamples examples = sets.get(s);
        // The examples of a set ascend by user.
        while (at[s] < examples.size() && examples.users()[at[s]] == user) {
          fill(examples, at[s]++, matrices.get(s));
        }
      }
      for (int p = 0; p < data.trainLength()[user]; p++) {
        evidence.add(sequence, p);
      }
    }
  }

  private void inTimeOrder(List<ClickExamples> sets, List<Matrix> matrices) {
    List<TimedEvent> events =
        IntStream.range(0, data.numUsers())
            .boxed()
            .flatMap(
                user ->
                    IntStream.range(0, data.trainLength()[user])
                        .mapToObj(p -> new TimedEvent(user, p, data.times()[user][p])))
            .sorted(Comparator.comparingLong(TimedEvent::time))
            .toList();
    int[][] orders = new int[sets.size()][];
    for (int s = 0; s < orders.length; s++) {
      ClickExamples examples = sets.get(s);
      orders[s] =
          IntStream.range(0, examples.size())
              .boxed()
              .sorted(Comparator.comparingLong(e -> timeOf(examples, e)))
              .mapToInt(Integer::intValue)
              .toArray();
    }
    int[] at = new int[sets.size()];
    int added = 0;
    while (true) {
      long now = Long.MAX_VALUE;
      for (int s = 0; s < at.length; s++) {
        if (at[s] < orders[s].length) {
          now = Math.min(now, timeOf(sets.get(s), orders[s][at[s]]));
        }
      }
      if (now == Long.MAX_VALUE) {
        return;
      }
      while (added < events.size() && events.get(added).time() < now) {
        TimedEvent event = events.get(added++);
        int[] sequence = data.items()[event.user()];
        evidence.add(sequence, event.position());
        times.add(sequence[event.position()], event.time());
      }
      for (int s = 0; s < at.length; s++) {
        while (at[s] < orders[s].length && timeOf(sets.get(s), orders[s][at[s]]) == now) {
          fill(sets.get(s), orders[s][at[s]++], matrices.get(s));
        }
      }
    }
  }

  private long timeOf(ClickExamples examples, int example) {
    return data.times()[examples.users()[example]][examples.positions()[example]];
  }

  private void fill(ClickExamples examples, int example, Matrix matrix) {
    int user = examples.users()[example];
    int length = examples.positions()[example];
    int[] sequence = data.items()[user];
    long now = data.timed() ? data.times()[user][length] : 0;
    int[] recent = Arrays.copyOfRange(sequence, Math.max(0, length - RECENT), length);
    Row row = new Row(matrix.users(), example * USER.size());
    user(row, user, length, now);
    row.check(USER.size());
    row = new Row(matrix.items(), example * ITEM.size());
    item(row, examples.items()[example], now);
    row.add(Math.log1p(length));
    together(row, examples.items()[example], recent);
    transitions(row, examples.items()[example], recent);
    row.add(walk(examples.items()[example], recent));
    attributes(row, examples.items()[example], recent);
    row.check(ITEM.size());
  }

  private void user(Row row, int user, int length, long now) {
    int[] sequence = data.items()[user];
    double sum = 0;
    IntCounts attributes = new IntCounts();
    for (int p = 0; p < length; p++) {
      sum += Math.log1p(evidence.count(sequence[p]));
      for (int a : data.attributes()[sequence[p]]) {
        attributes.add(a, 1);
      }
    }
    int[] top = {0};
    attributes.forEach((a, count) -> top[0] = Math.max(top[0], count));
    row.add(Math.log1p(length));
    row.add(sum / length);
    row.add((double) top[0] / length);
    if (data.timed()) {
      long[] moments = data.times()[user];
      row.add(logDays(now - moments[length - 1]));
      row.add(logDays(now - moments[0]));
    } else {
      row.addMissing(2);
    }
  }

  private void item(Row row, int item, long now) {
    int[] attributes = data.attributes()[item];
    double sum = 0;
    for (int a : attributes) {
      sum += Math.log1p(evidence.attributeCount(a));
    }
    row.add(Math.log1p(evidence.count(item)));
    row.add(Math.log1p(evidence.together(item).total()));
    row.add(attributes.length);
    row.add(attributes.length == 0 ? Double.NaN : sum / attributes.length);
    if (data.timed()) {
      for (int h = 0; h < HALF_LIVES_DAYS.length; h++) {
        row.add(Math.log1p(times.decayed(h, item, now)));
      }
      row.add(times.seen(item) ? logDays(now - times.first(item)) : Double.NaN);
      row.add(times.seen(item) ? logDays(now - times.last(item)) : Double.NaN);
    } else {
      row.addMissing(4);
    }
  }

  private void together(Row row, int item, int[] recent) {
    double max = 0;
    double sum = 0;
    double last = 0;
    long count = 0;
    int known = 0;
    for (int other : recent) {
      last = evidence.cosine(item, other);
      max = Math.max(max, last);
      sum += last;
      int both = evidence.together(item).get(other);
      count += both;
      known += both > 0 ? 1 : 0;
    }
    row.add(Math.sqrt(max));
    row.add(Math.sqrt(sum / recent.length));
    row.add(Math.sqrt(last));
    row.add(Math.log1p(count));
    row.add((double) known / recent.length);
  }

  private void transitions(Row row, int item, int[] recent) {
    int last = recent[recent.length - 1];
    int direct = evidence.transitions(last, item);
    double sum = 0;
    double decay = 1;
    for (int r = recent.length - 1; r >= 0; r--) {
      sum += decay * evidence.transitions(recent[r], item);
      decay *= 0.7;
    }
    row.add(direct == 0 ? 0 : Math.sqrt((double) direct / evidence.transitionsFrom(last)));
    row.add(Math.log1p(direct));
    row.add(Math.log1p(sum));
  }

  /**
   * The chance that two steps along co-occurrence, from a recent item, end at this one, relative to
   * the square root of the item's weight: similar items need not have met.
   */
  private double walk(int item, int[] recent) {
    for (int from : recent) {
      IntCounts neighbours = evidence.together(from);
      if (neighbours.total() > 0) {
        float share = 1f / (neighbours.total() * recent.length);
        neighbours.forEach(
            (middle, count) -> {
              if (walk[middle] == 0) {
                if (numTouched == touched.length) {
                  touched = Arrays.copyOf(touched, 2 * numTouched);
                }
                touched[numTouched++] = middle;
              }
              walk[middle] += share * count;
            });
      }
    }
    double[] sum = {0};
    evidence
        .together(item)
        .forEach(
            (middle, count) -> sum[0] += walk[middle] * count / evidence.together(middle).total());
    for (int t = 0; t < numTouched; t++) {
      walk[touched[t]] = 0;
    }
    numTouched = 0;
    long weight = evidence.together(item).total();
    return weight == 0 ? Double.NaN : Math.log(1e-6 + sum[0] / Math.sqrt(weight));
  }

  private void attributes(Row row, int item, int[] recent) {
    int[] own = data.attributes()[item];
    if (own.length == 0) {
      row.addMissing(7);
      return;
    }
    double maxOverlap = 0;
    double sumOverlap = 0;
    double lastOverlap = 0;
    double maxLift = Double.NEGATIVE_INFINITY;
    double sumLift = 0;
    double lastLift = Double.NaN;
    double shares = 0;
    int withAttributes = 0;
    for (int other : recent) {
      int[] theirs = data.attributes()[other];
      lastOverlap = 0;
      lastLift = Double.NaN;
      if (theirs.length == 0) {
        continue;
      }
      withAttributes++;
      double shared = 0;
      double all = 0;
      double lift = 0;
      for (int a : own) {
        boolean both = false;
        for (int b : theirs) {
          both |= a == b;
          lift += evidence.attributeLift(a, b);
        }
        double information = evidence.attributeInformation(a);
        all += information;
        shared += both ? information : 0;
        shares += both ? 1 : 0;
      }
      for (int b : theirs) {
        if (!contains(own, b)) {
          all += evidence.attributeInformation(b);
        }
      }
      lastOverlap = all == 0 ? 0 : shared / all;
      maxOverlap = Math.max(maxOverlap, lastOverlap);
      sumOverlap += lastOverlap;
      lastLift = lift / (own.length * theirs.length);
      maxLift = Math.max(maxLift, lastLift);
      sumLift += lastLift;
    }
    if (withAttributes == 0) {
      row.addMissing(7);
      return;
    }
    row.add(maxOverlap);
    row.add(sumOverlap / withAttributes);
    row.add(lastOverlap);
    row.add(shares / (own.length * withAttributes));
    row.add(maxLift);
    row.add(sumLift / withAttributes);
    row.add(lastLift);
  }

  private static boolean contains(int[] values, int value) {
    for (int v : values) {
      if (v == value) {
        return true;
      }
    }
    return false;
  }

  private static double logDays(long millis) {
    return Math.log1p(Math.max(0, millis) / DAY_MILLIS);
  }

  private record TimedEvent(int user, int position, long time) {}

  /** When items had events, and how many of late. */
  private static final class Times {
    private final long[] first;
    private final long[] last;
    private final double[][] decayed;

    Times(int numItems) {
      first = new long[numItems];
      last = new long[numItems];
      Arrays.fill(first, Long.MIN_VALUE);
      decayed = new double[HALF_LIVES_DAYS.length][numItems];
    }

    void add(int item, long now) {
      for (int h = 0; h < decayed.length; h++) {
        decayed[h][item] = decayed(h, item, now) + 1;
      }
      if (!seen(item)) {
        first[item] = now;
      }
      last[item] = now;
    }

    boolean seen(int item) {
      return first[item] != Long.MIN_VALUE;
    }

    long first(int item) {
      return first[item];
    }

    long last(int item) {
      return last[item];
    }

    double decayed(int halfLife, int item, long now) {
      double days = (now - last[item]) / DAY_MILLIS;
      return decayed[halfLife][item] * Math.pow(0.5, days / HALF_LIVES_DAYS[halfLife]);
    }
  }

  /** One row in the making. */
  private static final class Row {
    private final float[] values;
    private final int start;
    private int at;

    Row(float[] values, int start) {
      this.values = values;
      this.start = start;
    }

    void add(double value) {
      values[start + at++] = (float) value;
    }

    void addMissing(int count) {
      for (int i = 0; i < count; i++) {
        add(Double.NaN);
      }
    }

    void check(int width) {
      if (at != width) {
        throw new IllegalStateException("a row has " + at + " features of " + width);
      }
    }
  }
}
