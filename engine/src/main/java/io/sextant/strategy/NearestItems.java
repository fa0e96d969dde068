package io.sextant.strategy;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Builds weights between items row by row, on all cores: collects what speaks for each target,
 * divides by the popularity of both, keeps the k largest. Each row is the work of one thread, in an
 * order that does not depend on the others, so the result is the same bit by bit on any number of
 * threads.
 *
 * <p>Memory: 8 bytes for each kept weight, half as much again while they are put together, and 17
 * bytes an item for each thread.
 */
final class NearestItems {

  /** Rows of popular items cost far more than others: small blocks keep all threads busy. */
  private static final int BLOCK_ROWS = 32;

  /** What the data say about the targets of one source item. */
  interface Evidence {

    /**
     * Adds the evidence, none of it negative; entries for the source itself are ignored.
     *
     * @param into empty sums, which belong to the caller; several threads call, each with its own
     */
    void collect(int source, ScoreSums into);
  }

  /**
   * What evidence is divided by: {@code source[i] target[j] + shrinkage}.
   *
   * @param source (I) positive
   * @param target (I) positive
   * @param shrinkage not negative; takes weight from pairs with little evidence
   */
  record Divisor(float[] source, float[] target, float shrinkage) {}

  private final int k;
  private final Divisor divisor;
  private final Evidence evidence;
  private final int numItems;
  private final int[] starts;
  private final int[][] items;
  private final float[][] weights;

  private NearestItems(int k, Divisor divisor, Evidence evidence) {
    this.k = k;
    this.divisor = divisor;
    this.evidence = evidence;
    numItems = divisor.source().length;
    starts = new int[numItems + 1];
    int blocks = (numItems + BLOCK_ROWS - 1) / BLOCK_ROWS;
    items = new int[blocks][];
    weights = new float[blocks][];
  }

  /** The k largest positive weights of each source item; of equal ones those of lower items. */
  static ItemWeights of(int k, Divisor divisor, Evidence evidence) {
    NearestItems nearest = new NearestItems(k, divisor, evidence);
    AtomicInteger next = new AtomicInteger();
    IntStream.range(0, Runtime.getRuntime().availableProcessors())
        .parallel()
        .forEach(
            thread -> {
              Worker worker = null;
              int block;
              while ((block = next.getAndIncrement()) < nearest.items.length) {
                worker = worker == null ? nearest.new Worker() : worker;
                worker.work(block);
              }
            });
    return nearest.concat();
  }

  private ItemWeights concat() {
    long size = 0;
    for (int row = 0; row < numItems; row++) {
      size += starts[row + 1];
      if (size > Integer.MAX_VALUE - 8) {
        throw new InvalidInputException(
            "the weights between %d items with up to %d neighbours each do not fit into an array: keep fewer neighbours"
                .formatted(numItems, k));
      }
      starts[row + 1] = (int) size;
    }
    // One array after the other: the parts of the first are free before the second is made.
    int[] allItems = new int[(int) size];
    for (int block = 0, at = 0; block < items.length; block++) {
      System.arraycopy(items[block], 0, allItems, at, items[block].length);
      at += items[block].length;
      items[block] = NO_ITEMS;
    }
    float[] allWeights = new float[(int) size];
    for (int block = 0, at = 0; block < weights.length; block++) {
      System.arraycopy(weights[block], 0, allWeights, at, weights[block].length);
      at += weights[block].length;
      weights[block] = NO_WEIGHTS;
    }
    return new ItemWeights(starts, allItems, allWeights);
  }

  private static final int[] NO_ITEMS = {};
  private static final float[] NO_WEIGHTS = {};

  /** The scratch of one thread. */
  private final class Worker {

    private final ScoreSums sums = new ScoreSums(numItems);
    private final Largest largest = new Largest();
    private float[] values = new float[256];
    private int[] blockItems = new int[1024];
    private float[] blockWeights = new float[1024];

    void work(int block) {
      int size = 0;
      int end = Math.min(numItems, (block + 1) * BLOCK_ROWS);
      for (int source = block * BLOCK_ROWS; source < end; source++) {
        evidence.collect(source, sums);
        int[] targets = sums.sortedItems();
        if (values.length < targets.length) {
          values = new float[Math.max(targets.length, 2 * values.length)];
        }
        int kept = largest.keep(targets, values, divide(source, targets), k);
        sums.clear();
        if (blockItems.length < size + kept) {
          int length = Math.max(size + kept, 2 * blockItems.length);
          blockItems = Arrays.copyOf(blockItems, length);
          blockWeights = Arrays.copyOf(blockWeights, length);
        }
        System.arraycopy(targets, 0, blockItems, size, kept);
        System.arraycopy(values, 0, blockWeights, size, kept);
        size += kept;
        starts[source + 1] = kept;
      }
      items[block] = Arrays.copyOf(blockItems, size);
      weights[block] = Arrays.copyOf(blockWeights, size);
    }

    /** Leaves targets of positive weight other than the source at the front, and says how many. */
    private int divide(int source, int[] targets) {
      float own = divisor.source()[source];
      float shrinkage = divisor.shrinkage();
      int n = 0;
      for (int target : targets) {
        float value = sums.get(target) / (own * divisor.target()[target] + shrinkage);
        if (value > 0 && target != source) {
          targets[n] = target;
          values[n++] = value;
        }
      }
      return n;
    }
  }
}
