package io.sextant.cli;

import java.util.Arrays;

/**
 * What a changing set of events tells of items: how often each occurs, which occur in the same
 * history, which follow each other, and the same for attributes. Events can be added and taken
 * away, so that the evidence for an example never contains the example itself.
 */
final class ItemEvidence {

  /** So many items of a history, the latest, are brought together with the next one. */
  static final int WINDOW = 50;

  /** Weights of a transition over 1, 2 and 3 places. */
  private static final int[] GAP_WEIGHTS = {6, 3, 2};

  private final int[][] attributes;
  private final int[] counts;
  private final IntCounts[] together;
  private final IntCounts[] next;
  private final int[] attributeCounts;
  private final IntCounts[] attributesTogether;
  private long attributePairs;
  private long events;

  ItemEvidence(int numItems, int[][] attributes) {
    this.attributes = attributes;
    int numAttributes =
        Arrays.stream(attributes).flatMapToInt(Arrays::stream).map(a -> a + 1).max().orElse(0);
    counts = new int[numItems];
    together = tables(numItems);
    next = tables(numItems);
    attributeCounts = new int[numAttributes];
    attributesTogether = tables(numAttributes);
  }

  private static IntCounts[] tables(int size) {
    IntCounts[] tables = new IntCounts[size];
    Arrays.setAll(tables, i -> new IntCounts());
    return tables;
  }

  /** Adds the event at a position of a user's sequence, which tells of the events before it too. */
  void add(int[] sequence, int position) {
    change(sequence, position, 1);
  }

  /** Takes away what {@link #add} added. */
  void remove(int[] sequence, int position) {
    change(sequence, position, -1);
  }

  private void change(int[] sequence, int position, int sign) {
    int item = sequence[position];
    counts[item] += sign;
    events += sign;
    for (int a : attributes[item]) {
      attributeCounts[a] += sign;
    }
    for (int p = Math.max(0, position - WINDOW); p < position; p++) {
      int other = sequence[p];
      if (other == item) {
        continue;
      }
      together[item].add(other, sign);
      together[other].add(item, sign);
      int gap = position - p;
      if (gap <= GAP_WEIGHTS.length) {
        next[other].add(item, sign * GAP_WEIGHTS[gap - 1]);
      }
      for (int a : attributes[item]) {
        for (int b : attributes[other]) {
          attributesTogether[a].add(b, sign);
          attributesTogether[b].add(a, sign);
          attributePairs += 2L * sign;
        }
      }
    }
  }

  /** How many events there are. */
  long events() {
    return events;
  }

  /** How many events the item has. */
  int count(int item) {
    return counts[item];
  }

  /** How many events have an item with the attribute. */
  int attributeCount(int attribute) {
    return attributeCounts[attribute];
  }

  /** How often each item occurs in the same history as this one. */
  IntCounts together(int item) {
    return together[item];
  }

  /** The cosine of two items over histories, in [0, 1] but for repetitions. */
  double cosine(int a, int b) {
    int both = together[a].get(b);
    return both == 0
        ? 0
        : both / Math.sqrt((double) Math.max(1, counts[a]) * Math.max(1, counts[b]));
  }

  /** The weight of transitions from one item to another. */
  int transitions(int from, int to) {
    return next[from].get(to);
  }

  /** The weight of all transitions from an item. */
  long transitionsFrom(int item) {
    return next[item].total();
  }

  /**
   * How much more often than by chance two attributes occur in the same history: the logarithm of
   * observed over expected, both smoothed by one pair.
   */
  double attributeLift(int a, int b) {
    double expected =
        attributePairs == 0
            ? 0
            : (double) attributesTogether[a].total()
                * attributesTogether[b].total()
                / attributePairs;
    return Math.log((attributesTogether[a].get(b) + 1) / (expected + 1));
  }

  /** How much it says that an item has the attribute: -log of the share of events that have it. */
  double attributeInformation(int attribute) {
    return Math.log((events + 1.0) / (attributeCounts[attribute] + 1.0));
  }
}
