package io.sextant.train;

import io.sextant.data.Interactions;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The items that a step draws and compares for all of its examples, from which its parts take
 * theirs: first the distinct negatives, then the positives, in the order of the examples, as in a
 * step that is taken at once.
 *
 * <p>Thread safety: belongs to one thread.
 */
final class StepItems {

  private final Interactions interactions;
  private final int[] userOfRow;
  private final SamplingOptions options;
  private final Negatives negatives;
  private final long seed;
  private final RowCollector items;
  private int @Nullable [] examples;
  private long step;
  private int[] timesDrawn = new int[0];
  private int[] drawn = new int[0];
  private int[] firstExample = new int[0];
  private float[] keep = new float[0];

  StepItems(
      Interactions interactions,
      int[] userOfRow,
      SamplingOptions options,
      Negatives negatives,
      long seed) {
    this.interactions = interactions;
    this.userOfRow = userOfRow;
    this.options = options;
    this.negatives = negatives;
    this.seed = seed;
    items = new RowCollector(interactions.numItems());
  }

  /** Draws, unless that was done for the part before. */
  void draw(int[] ofStep, long stepNumber) {
    if (examples == ofStep && step == stepNumber) {
      return;
    }
    examples = ofStep;
    step = stepNumber;
    int[] users = new int[ofStep.length];
    Arrays.setAll(users, e -> userOfRow[ofStep[e]]);
    items.clear();
    drawn = negatives.draw(items, users, stepNumber);
    timesDrawn = Arrays.copyOf(items.sharedCounts(), items.size());
    int[] positives = new int[ofStep.length];
    Arrays.setAll(positives, e -> items.add(interactions.itemAt(ofStep[e])));
    firstExample = new int[items.size()];
    Arrays.fill(firstExample, ofStep.length);
    int own = options.objective().ownNegatives() ? options.negatives() : 0;
    if (options.objective().sharedNegatives()) {
      Arrays.fill(firstExample, 0, timesDrawn.length, 0);
    }
    for (int e = ofStep.length - 1; e >= 0; e--) {
      firstExample[positives[e]] = Math.min(firstExample[positives[e]], e);
      for (int n = e * own; n < (e + 1) * own; n++) {
        firstExample[drawn[n]] = e;
      }
    }
    keep = new float[items.size()];
    CounterRandom random = new CounterRandom(seed, "item-id-dropout", stepNumber);
    for (int i = 0; i < keep.length && options.itemIdDropout() > 0; i++) {
      keep[i] = random.nextFloat() < options.itemIdDropout() ? 0 : 1;
    }
  }

  /**
   * Adds what a part's examples are compared with.
   *
   * @return the local numbers of their own negatives (to - from, n); nothing if negatives are
   *     shared
   */
  int[] addNegatives(RowCollector part, int from, int to) {
    if (options.objective().sharedNegatives()) {
      for (int i = 0; i < timesDrawn.length; i++) {
        part.add(items.row(i), from == 0 ? timesDrawn[i] : 0);
      }
      return new int[0];
    }
    int own = options.objective().ownNegatives() ? options.negatives() : 0;
    int[] locals = new int[(to - from) * own];
    for (int i = 0; i < locals.length; i++) {
      locals[i] = part.add(items.row(drawn[from * own + i]));
    }
    return locals;
  }

  /** Adds the positives of all parts, as negatives of each other, without counting them. */
  void addPositives(RowCollector part) {
    for (int i = timesDrawn.length; i < items.size(); i++) {
      part.add(items.row(i), 0);
    }
  }

  /** Whether the item is first met by an example of the part. */
  boolean firstMetIn(int item, int from, int to) {
    int first = firstExample[items.localOf(item)];
    return first >= from && first < to;
  }

  /** 1, or 0 if the item's id is dropped. */
  float keep(int item) {
    return keep[items.localOf(item)];
  }
}
