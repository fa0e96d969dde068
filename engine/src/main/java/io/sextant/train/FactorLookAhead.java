package io.sextant.train;

import io.sextant.tensor.HostTeam;
import io.sextant.tensor.InnerProduct;
import io.sextant.tensor.RowGradient;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The look-ahead of matrix factorisation in closed form. An example's loss depends on its pairs'
 * scores {@code s = <u, v> / temperature + b_u + b_v}, so its derivative along a direction d of the
 * parameters is a sum over its pairs, exact and as cheap as two forward passes:
 *
 * <pre>
 *   &lt;grad l, d&gt; = sum dl/ds ((&lt;d_u, v&gt; + &lt;u, d_v&gt;) / temperature + d_bu + d_bv)
 * </pre>
 */
final class FactorLookAhead implements LookAhead {

  private static final int EXAMPLES_PER_TASK = 128;
  private static final int ROWS_PER_TASK = 256;

  private final FactorForm train;
  private final FactorForm meta;
  private final @Nullable FactorForm guard;
  private final ModelParameters parameters;
  private final Shift users = new Shift();
  private final Shift items = new Shift();
  private float[] slopes = new float[0];
  private int examples;
  private int[] guards = new int[0];
  private boolean finite;

  FactorLookAhead(
      FactorForm train, FactorForm meta, @Nullable FactorForm guard, ModelParameters parameters) {
    this.train = train;
    this.meta = meta;
    this.guard = guard;
    this.parameters = parameters;
  }

  @Override
  public Slopes slopes(
      int[] batch,
      float[] weights,
      int[] metaExamples,
      int[] guardExamples,
      long step,
      float factor) {
    examples = batch.length;
    guards = guardExamples;
    int pairsPerExample = train.pairsPerExample;
    drawAll(batch, metaExamples, step);
    train.read();
    finite = Double.isFinite(train.score(batch));
    float[] weighted = train.slopes();
    int pairs = examples * pairsPerExample;
    if (slopes.length < pairs) {
      slopes = new float[pairs];
    }
    System.arraycopy(weighted, 0, slopes, 0, pairs);
    for (int e = 0; e < examples; e++) {
      for (int pair = e * pairsPerExample; pair < (e + 1) * pairsPerExample; pair++) {
        weighted[pair] *= weights[e];
      }
    }
    Map<String, RowGradient> gradients = train.gradients();
    System.arraycopy(slopes, 0, weighted, 0, pairs);
    train.leave(batch, step);
    users.measure(train.users, gradients, factor);
    items.measure(train.items, gradients, factor);
    return judged(meta, metaExamples);
  }

  @Override
  public Slopes guardSlopes() {
    if (guard == null || guards.length == 0) {
      throw new IllegalStateException("there is no guard, or no step that was looked ahead");
    }
    return judged(guard, guards);
  }

  /** Draws are made one after the other, so different ones at the same time. */
  private void drawAll(int[] batch, int[] metaExamples, long step) {
    HostTeam.shared()
        .run(
            guard == null || guards.length == 0 ? 2 : 3,
            () ->
                task -> {
                  switch (task) {
                    case 0 -> train.drawPairs(batch, step);
                    case 1 -> meta.drawPairs(metaExamples, step);
                    default -> Objects.requireNonNull(guard).drawPairs(guards, step);
                  }
                });
  }

  private Slopes judged(FactorForm judge, int[] judgeExamples) {
    judge.read();
    users.apply(train.users, judge.users);
    items.apply(train.items, judge.items);
    double loss = judge.score(judgeExamples);
    float[] perRow = new float[examples];
    if (!finite || !Double.isFinite(loss)) {
      return new Slopes(perRow, Double.NaN);
    }
    judge.gradients();
    users.turn(train.users, judge.users);
    items.turn(train.items, judge.items);
    int pairsPerExample = train.pairsPerExample;
    HostTeam.shared()
        .run(
            HostTeam.tasks(examples, EXAMPLES_PER_TASK),
            () ->
                task -> {
                  int end = Math.min(examples, (task + 1) * EXAMPLES_PER_TASK);
                  for (int e = task * EXAMPLES_PER_TASK; e < end; e++) {
                    double sum = 0;
                    for (int pair = e * pairsPerExample; pair < (e + 1) * pairsPerExample; pair++) {
                      sum += slopes[pair] * turned(pair);
                    }
                    perRow[e] = (float) -sum;
                  }
                });
    return new Slopes(perRow, loss);
  }

  /** The derivative of a pair's score along the direction. */
  private double turned(int pair) {
    int width = train.users.dimension;
    int user = train.users.ofPair[pair];
    int item = train.items.ofPair[pair];
    float product =
        InnerProduct.of(users.along, user * width, train.items.values, item * width, width)
            + InnerProduct.of(train.users.values, user * width, items.along, item * width, width);
    return product / train.temperature + users.biasAlong[user] + items.biasAlong[item];
  }

  @Override
  public float[] losses(int[] examples, long step) {
    train.draw(examples, step);
    train.score(examples);
    train.leave(examples, step);
    return Arrays.copyOf(train.losses(), examples.length);
  }

  /** What a step takes away from the rows of one side, and the direction that judges it. */
  private final class Shift {
    private float[] sizes = new float[0];
    private float[] biasSizes = new float[0];
    private float[] rows = new float[0];
    private float[] biases = new float[0];
    private float[] along = new float[0];
    private float[] biasAlong = new float[0];

    /** Makes alpha D and alpha D g. */
    void measure(FactorSide side, Map<String, RowGradient> gradients, float factor) {
      int size = side.rows.size();
      int width = side.dimension;
      if (biases.length < size) {
        int capacity = side.biasValues.length;
        sizes = new float[capacity * width];
        rows = new float[capacity * width];
        biasSizes = new float[capacity];
        biases = new float[capacity];
        along = new float[capacity * width];
        biasAlong = new float[capacity];
      }
      fill(side.name + ".id", gradients, factor, sizes, rows);
      Arrays.fill(biases, 0, size, 0);
      if (side.biases != null) {
        fill(side.name + ".bias", gradients, factor, biasSizes, biases);
      }
    }

    private void fill(
        String name,
        Map<String, RowGradient> gradients,
        float factor,
        float[] stepSizes,
        float[] steps) {
      RowGradient gradient = gradients.get(name);
      if (gradient == null) {
        throw new IllegalStateException("there is no gradient of " + name);
      }
      parameters.stepSizesOnHost(name, gradient, factor, stepSizes);
      for (int d = 0; d < gradient.size() * gradient.dimension(); d++) {
        steps[d] = stepSizes[d] * gradient.gradient()[d];
      }
    }

    /** Takes the step in the rows that the meta batch has read. */
    void apply(FactorSide from, FactorSide to) {
      int width = from.dimension;
      forEachRow(
          to,
          row -> {
            int at = from.rows.localOf(to.rows.row(row));
            if (at < 0) {
              return;
            }
            for (int d = 0; d < width; d++) {
              to.values[row * width + d] -= rows[at * width + d];
            }
            if (to.biases != null) {
              to.biasValues[row] -= biases[at];
            }
          });
    }

    /** Makes alpha D v, v the judging batch's gradient. */
    void turn(FactorSide side, FactorSide judge) {
      int width = side.dimension;
      forEachRow(
          side,
          row -> {
            int at = judge.rows.localOf(side.rows.row(row));
            int to = row * width;
            if (at < 0) {
              Arrays.fill(along, to, to + width, 0);
              biasAlong[row] = 0;
              return;
            }
            for (int d = 0; d < width; d++) {
              along[to + d] = sizes[to + d] * judge.gradient[at * width + d];
            }
            biasAlong[row] = side.biases != null ? biasSizes[row] * judge.biasGradient[at] : 0;
          });
    }

    private static void forEachRow(FactorSide side, IntConsumer work) {
      int size = side.rows.size();
      HostTeam.shared()
          .run(
              HostTeam.tasks(size, ROWS_PER_TASK),
              () ->
                  task -> {
                    int end = Math.min(size, (task + 1) * ROWS_PER_TASK);
                    for (int row = task * ROWS_PER_TASK; row < end; row++) {
                      work.accept(row);
                    }
                  });
    }
  }
}
