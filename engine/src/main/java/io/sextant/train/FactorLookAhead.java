package io.sextant.train;

import io.sextant.tensor.HostTeam;
import io.sextant.tensor.InnerProduct;
import io.sextant.tensor.RowGradient;
import java.util.Arrays;
import java.util.Map;

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

  private final FactorForm train;
  private final FactorForm meta;
  private final ModelParameters parameters;
  private final Shift users = new Shift();
  private final Shift items = new Shift();
  private float[] slopes = new float[0];

  FactorLookAhead(FactorForm train, FactorForm meta, ModelParameters parameters) {
    this.train = train;
    this.meta = meta;
    this.parameters = parameters;
  }

  @Override
  public Slopes slopes(
      int[] examples, float[] weights, int[] metaExamples, long step, float factor) {
    int n = examples.length;
    int pairsPerExample = train.pairsPerExample;
    train.draw(examples, step);
    double loss = train.score(examples);
    float[] weighted = train.slopes();
    int pairs = n * pairsPerExample;
    if (slopes.length < pairs) {
      slopes = new float[pairs];
    }
    System.arraycopy(weighted, 0, slopes, 0, pairs);
    for (int pair = 0; pair < pairs; pair++) {
      weighted[pair] *= weights[pair / pairsPerExample];
    }
    Map<String, RowGradient> gradients = train.gradients();
    users.measure(train.users, gradients, factor);
    items.measure(train.items, gradients, factor);

    meta.draw(metaExamples, step);
    users.apply(train.users, meta.users);
    items.apply(train.items, meta.items);
    double metaLoss = meta.score(metaExamples);
    if (!Double.isFinite(loss) || !Double.isFinite(metaLoss)) {
      return new Slopes(new float[n], Double.NaN);
    }
    meta.gradients();
    users.turn(train.users, meta.users);
    items.turn(train.items, meta.items);

    float[] perExample = new float[n];
    HostTeam.shared()
        .run(
            HostTeam.tasks(n, EXAMPLES_PER_TASK),
            () ->
                task -> {
                  int end = Math.min(n, (task + 1) * EXAMPLES_PER_TASK);
                  for (int e = task * EXAMPLES_PER_TASK; e < end; e++) {
                    double sum = 0;
                    for (int pair = e * pairsPerExample; pair < (e + 1) * pairsPerExample; pair++) {
                      sum += slopes[pair] * turned(pair);
                    }
                    perExample[e] = (float) -sum;
                  }
                });
    return new Slopes(perExample, metaLoss);
  }

  /** The derivative of a pair's score along the direction. */
  private double turned(int pair) {
    int width = train.users.dimension;
    int user = train.users.ofPair[pair];
    int item = train.items.ofPair[pair];
    float product =
        InnerProduct.of(users.rows, user * width, train.items.values, item * width, width)
            + InnerProduct.of(train.users.values, user * width, items.rows, item * width, width);
    return product / train.temperature + users.biases[user] + items.biases[item];
  }

  @Override
  public float[] losses(int[] examples, long step) {
    train.draw(examples, step);
    train.score(examples);
    return Arrays.copyOf(train.losses(), examples.length);
  }

  /** What a step takes away from the rows of one side, and then the direction that judges it. */
  private final class Shift {
    private float[] sizes = new float[0];
    private float[] biasSizes = new float[0];
    private float[] rows = new float[0];
    private float[] biases = new float[0];

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
      for (int row = 0; row < to.rows.size(); row++) {
        int at = from.rows.localOf(to.rows.row(row));
        if (at >= 0) {
          for (int d = 0; d < width; d++) {
            to.values[row * width + d] -= rows[at * width + d];
          }
          if (to.biases != null) {
            to.biasValues[row] -= biases[at];
          }
        }
      }
    }

    /** Puts alpha D v in the place of the step, v the meta batch's gradient. */
    void turn(FactorSide side, FactorSide judge) {
      int width = side.dimension;
      for (int row = 0; row < side.rows.size(); row++) {
        int at = judge.rows.localOf(side.rows.row(row));
        for (int d = row * width; d < (row + 1) * width; d++) {
          rows[d] = at < 0 ? 0 : sizes[d] * judge.gradient[at * width + d - row * width];
        }
        boolean bias = side.biases != null && at >= 0;
        biases[row] = bias ? biasSizes[row] * judge.biasGradient[at] : 0;
      }
    }
  }
}
