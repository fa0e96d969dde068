package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * A linear autoencoder with weights between items and none of an item with itself, EASE (Steck, WWW
 * 2019, <a href="https://arxiv.org/abs/1905.03375">arXiv:1905.03375</a>). It minimises {@code |X -
 * X B|^2 + l2 |B|^2} over B with a zero diagonal, X the (U, I) matrix of who has what, in closed
 * form:
 *
 * <pre>
 * P = (X'X + l2 I)^-1,   B_ij = -P_ij / P_jj  for i != j
 * </pre>
 *
 * A pair counts once, however often it occurs. Serving keeps of each source item the weights of
 * largest magnitude: see {@link HistoryWeights} for how they are added up.
 *
 * <p>Complexity: O(n^3) time and {@code 6 n^2} bytes of memory for n items, in float32; so n is
 * bounded, and of a larger catalogue the most popular items are modelled and the others score 0,
 * which the training listener is told. A query costs O(L neighbours).
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param l2 penalty on the weights; too small a one makes the matrix singular in float32, which is
 *     refused
 * @param maxItems n: at most so many items are modelled, at most 23,170
 * @param neighbours at most so many weights of each source item are kept
 * @param history how much each item of a history counts
 */
public record Ease(String name, double l2, int maxItems, int neighbours, HistoryWeights history)
    implements Strategy {

  static final String NAME = "ease";

  /** The matrix is filled through a buffer of at most 2 GiB. */
  private static final int LARGEST = 23_170;

  private static final int CHUNK_FLOATS = 1 << 24;
  private static final int BLOCK_ROWS = 32;

  public Ease {
    OptionChecks.name(name);
    OptionChecks.check(l2 > 0 && Double.isFinite(l2), "l2 must be > 0 but was " + l2);
    OptionChecks.check(
        maxItems > 0 && maxItems <= LARGEST,
        "maxItems must be in 1..%d but was %d".formatted(LARGEST, maxItems));
    OptionChecks.positive("neighbours", neighbours);
  }

  /** Under the name {@code ease}, with settings for sparse data. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public SearchSpace searchSpace() {
    return SearchSpace.builder().logReals("l2", 5, 3000).decayOf(history).build();
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    return MemoryGuard.run(
        name,
        "lower maxItems or neighbours",
        () -> TensorThreads.call(() -> fitOnTensorThread(context)));
  }

  private FittedStrategy fitOnTensorThread(FitContext context) {
    Interactions train = context.train().interactions();
    BinaryMatrix byUser = BinaryMatrix.of(train);
    if (byUser.size() == 0) {
      throw new InvalidInputException(
          "strategy '%s' has no interaction to learn from".formatted(name));
    }
    int[] modelled = modelled(context, byUser.transpose());
    long bytes = 3L * modelled.length * modelled.length * Float.BYTES / 2;
    MemoryGuard.requireNative(name, bytes, "lower maxItems");
    BinaryMatrix head = select(byUser, modelled);
    try (Scope scope = Scope.open(context.device())) {
      NDArray matrix = gramian(scope, head);
      try {
        SpdInverse.invert(scope, matrix);
      } catch (ArithmeticException e) {
        throw new InvalidInputException(
            "strategy '%s': the items' Gramian plus l2 = %s is singular in float32: raise l2"
                .formatted(name, l2),
            e);
      }
      return new FittedItemItem(
          weights(scope, matrix, modelled, train.numItems()), history, toString());
    }
  }

  /** The items that are modelled, ascending: those that occur, the most popular ones first. */
  private int[] modelled(FitContext context, BinaryMatrix byItem) {
    int[] present =
        IntStream.range(0, byItem.numRows()).filter(i -> byItem.degree(i) > 0).toArray();
    if (present.length <= maxItems) {
      return present;
    }
    int[] head =
        Arrays.stream(present)
            .boxed()
            .sorted(Comparator.comparingInt(i -> -byItem.degree(i)))
            .limit(maxItems)
            .mapToInt(Integer::intValue)
            .sorted()
            .toArray();
    long kept = Arrays.stream(head).mapToLong(byItem::degree).sum();
    context
        .listener()
        .onNotice(
            "strategy '%s' models the %d most popular of %d items, which have %.1f %% of the interactions; the others score 0"
                .formatted(name, maxItems, present.length, 100.0 * kept / byItem.size()));
    return head;
  }

  /** The columns that are modelled, renumbered. */
  private static BinaryMatrix select(BinaryMatrix byUser, int[] modelled) {
    int[] renumbered = new int[byUser.numColumns()];
    Arrays.fill(renumbered, -1);
    for (int at = 0; at < modelled.length; at++) {
      renumbered[modelled[at]] = at;
    }
    int[] starts = new int[byUser.numRows() + 1];
    int[] columns = new int[byUser.size()];
    int size = 0;
    for (int user = 0; user < byUser.numRows(); user++) {
      for (int at = byUser.starts()[user]; at < byUser.starts()[user + 1]; at++) {
        int column = renumbered[byUser.columns()[at]];
        if (column >= 0) {
          columns[size++] = column;
        }
      }
      starts[user + 1] = size;
    }
    return new BinaryMatrix(modelled.length, starts, Arrays.copyOf(columns, size));
  }

  /** X'X + l2 I on the device, (n, n). */
  private NDArray gramian(Scope scope, BinaryMatrix byUser) {
    int n = byUser.numColumns();
    float[] ones = new float[byUser.numRows()];
    Arrays.fill(ones, 1);
    CoOccurrence pairs = new CoOccurrence(byUser.toLinks(), byUser.transpose().toLinks(), ones);
    return HostArrays.create(
        scope.manager(),
        new Shape(n, n),
        DataType.FLOAT32,
        memory -> {
          FloatBuffer floats = memory.asFloatBuffer();
          IntStream.range(0, (n + BLOCK_ROWS - 1) / BLOCK_ROWS)
              .parallel()
              .forEach(
                  block -> {
                    ScoreSums sums = new ScoreSums(n);
                    float[] row = new float[n];
                    for (int i = block * BLOCK_ROWS;
                        i < Math.min(n, (block + 1) * BLOCK_ROWS);
                        i++) {
                      pairs.collect(i, sums);
                      for (int j = 0; j < n; j++) {
                        row[j] = sums.get(j);
                      }
                      row[i] += (float) l2;
                      floats.put(i * n, row);
                      sums.clear();
                    }
                  });
        });
  }

  /** The strongest weights, over the whole catalogue. */
  private ItemWeights weights(Scope scope, NDArray inverse, int[] modelled, int numItems) {
    int n = modelled.length;
    float[] diagonal = diagonal(scope, inverse, n);
    StrongestWeights strongest = new StrongestWeights(numItems, neighbours);
    int chunkRows = Math.max(1, CHUNK_FLOATS / n);
    for (int first = 0; first < n; first += chunkRows) {
      int from = first;
      int to = Math.min(n, first + chunkRows);
      try (Scope step = scope.child()) {
        float[] rows =
            HostArrays.toFloats(inverse.get(step.manager(), new NDIndex("{}:{}", from, to)));
        IntStream.range(from, to)
            .parallel()
            .forEach(
                i -> {
                  float[] row = Arrays.copyOfRange(rows, (i - from) * n, (i - from + 1) * n);
                  for (int j = 0; j < n; j++) {
                    row[j] = j == i ? 0 : -row[j] / diagonal[j];
                  }
                  strongest.set(modelled[i], modelled, row);
                });
      }
    }
    return strongest.build();
  }

  private static float[] diagonal(Scope scope, NDArray square, int n) {
    try (Scope step = scope.child()) {
      NDArray flat = step.adopt(square.reshape((long) n * n));
      NDArray everyNext = flat.get(step.manager(), new NDIndex("::{}", n + 1));
      return HostArrays.toFloats(step.adopt(everyNext.duplicate()));
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private String name = NAME;
    private double l2 = 200;
    private int maxItems = 15_000;
    private int neighbours = 500;
    private HistoryWeights history = HistoryWeights.EQUAL;

    private Builder() {}

    public Builder name(String name) {
      this.name = name;
      return this;
    }

    public Builder l2(double l2) {
      this.l2 = l2;
      return this;
    }

    public Builder maxItems(int maxItems) {
      this.maxItems = maxItems;
      return this;
    }

    public Builder neighbours(int neighbours) {
      this.neighbours = neighbours;
      return this;
    }

    public Builder history(HistoryWeights history) {
      this.history = history;
      return this;
    }

    /**
     * The strategy.
     *
     * @throws io.sextant.InvalidInputException if an option is out of its range
     */
    public Ease build() {
      return new Ease(name, l2, maxItems, neighbours, history);
    }
  }
}
