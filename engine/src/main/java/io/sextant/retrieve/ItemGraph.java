package io.sextant.retrieve;

import java.util.Arrays;

/**
 * A graph in which each item points to items like it, and the walk through it towards the greatest
 * inner product with a query.
 *
 * <p>Design. The walk keeps the best items so far, as many as its width, and goes on from the best
 * one that it has not left yet, until that one is worse than all it keeps (Malkov and Yashunin,
 * arXiv:1603.09320, algorithm 2, on one layer). Items that must not be found are walked over and
 * not kept. Vectors lie in one array; before the products of an item's neighbours are computed, a
 * number of each cache line of their vectors is read, so that memory fetches them all at once.
 *
 * <p>Thread safety: immutable; a {@link Walk} belongs to one thread.
 */
final class ItemGraph {

  /** Floats of a cache line. */
  private static final int LINE = 16;

  private final float[] vectors;
  private final int dimension;
  private final int[] neighbours;
  private final int degree;
  private final int[] entries;

  /**
   * @param vectors (n * D)
   * @param neighbours (n * degree), each item's padded with -1
   * @param entries where walks begin
   */
  ItemGraph(float[] vectors, int dimension, int[] neighbours, int degree, int[] entries) {
    this.vectors = vectors;
    this.dimension = dimension;
    this.neighbours = neighbours;
    this.degree = degree;
    this.entries = entries;
  }

  int size() {
    return neighbours.length / degree;
  }

  int degree() {
    return degree;
  }

  /** The inner product with an item. */
  float score(float[] query, int item) {
    return dot(query, vectors, item * dimension, dimension);
  }

  /** Eight sums, so that no addition waits for the one before it. */
  static float dot(float[] query, float[] vectors, int from, int length) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    float e = 0;
    float f = 0;
    float g = 0;
    float h = 0;
    int i = 0;
    for (int at = from; i <= length - 8; i += 8, at += 8) {
      a += query[i] * vectors[at];
      b += query[i + 1] * vectors[at + 1];
      c += query[i + 2] * vectors[at + 2];
      d += query[i + 3] * vectors[at + 3];
      e += query[i + 4] * vectors[at + 4];
      f += query[i + 5] * vectors[at + 5];
      g += query[i + 6] * vectors[at + 6];
      h += query[i + 7] * vectors[at + 7];
    }
    for (; i < length; i++) {
      a += query[i] * vectors[from + i];
    }
    return ((a + b) + (c + d)) + ((e + f) + (g + h));
  }

  /** Which items have been met, or must not be kept. */
  static final class Marks {
    private final long[] words;
    private int[] touched = new int[1024];
    private int size;

    Marks(int items) {
      words = new long[items / Long.SIZE + 1];
    }

    boolean get(int item) {
      return (words[item / Long.SIZE] & (1L << item)) != 0;
    }

    void set(int item) {
      setAll(item / Long.SIZE, 1L << item);
    }

    /** Marks those of the 64 items from {@code 64 word} on whose bits are 1. */
    void setAll(int word, long bits) {
      if (words[word] == 0 && bits != 0) {
        if (size == touched.length) {
          touched = Arrays.copyOf(touched, 2 * size);
        }
        touched[size++] = word;
      }
      words[word] |= bits;
    }

    void clear() {
      for (int i = 0; i < size; i++) {
        words[touched[i]] = 0;
      }
      size = 0;
    }
  }

  /** The memory of walks, one after the other. */
  final class Walk {
    private final Marks met = new Marks(size());
    private final Heap open = new Heap();
    private final Heap kept = new Heap();
    private final int[] fresh = new int[degree];

    /** Keeps the loads of the read-ahead alive. */
    private float ahead;

    /**
     * Walks.
     *
     * @param width how many items are kept
     * @param blocked items that are not kept
     * @return the items kept, as {@link Candidates#ordered} packs them
     */
    Heap best(float[] query, int width, Marks blocked) {
      met.clear();
      open.clear();
      kept.clear();
      for (int entry : entries) {
        if (!met.get(entry)) {
          meet(query, entry, width, blocked);
        }
      }
      while (open.size() > 0) {
        // The greatest: the heap of open items holds their negatives.
        long next = -open.pop();
        if (kept.size() == width && next < kept.least()) {
          break;
        }
        int from = Candidates.item(next) * degree;
        int n = 0;
        float touched = 0;
        for (int i = from; i < from + degree && neighbours[i] >= 0; i++) {
          if (!met.get(neighbours[i])) {
            fresh[n++] = neighbours[i];
            int at = neighbours[i] * dimension;
            for (int d = 0; d < dimension; d += LINE) {
              touched += vectors[at + d];
            }
          }
        }
        ahead = touched;
        for (int i = 0; i < n; i++) {
          meet(query, fresh[i], width, blocked);
        }
      }
      return kept;
    }

    private void meet(float[] query, int item, int width, Marks blocked) {
      met.set(item);
      long candidate = Candidates.ordered(score(query, item), item);
      if (kept.size() < width) {
        open.push(-candidate);
        if (!blocked.get(item)) {
          kept.push(candidate);
        }
      } else if (candidate > kept.least()) {
        open.push(-candidate);
        if (!blocked.get(item)) {
          kept.replaceLeast(candidate);
        }
      }
    }
  }

  /** A binary heap of longs, the least first. */
  static final class Heap {
    private long[] values = new long[512];
    private int size;

    int size() {
      return size;
    }

    void clear() {
      size = 0;
    }

    long least() {
      return values[0];
    }

    /** One of the values, in no order. */
    long get(int i) {
      return values[i];
    }

    void push(long value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
      }
      int at = size++;
      while (at > 0) {
        int parent = (at - 1) / 2;
        if (values[parent] <= value) {
          break;
        }
        values[at] = values[parent];
        at = parent;
      }
      values[at] = value;
    }

    long pop() {
      long least = values[0];
      long last = values[--size];
      if (size > 0) {
        sink(last);
      }
      return least;
    }

    void replaceLeast(long value) {
      sink(value);
    }

    private void sink(long value) {
      int at = 0;
      for (int child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && values[child + 1] < values[child]) {
          child++;
        }
        if (values[child] >= value) {
          break;
        }
        values[at] = values[child];
        at = child;
      }
      values[at] = value;
    }
  }
}
