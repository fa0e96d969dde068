package io.sextant.train;

import io.sextant.data.Interactions;
import io.sextant.nn.TwoTower;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.InnerProduct;
import io.sextant.tensor.RowGradient;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The closed form of matrix factorisation: a two-tower model of ids alone on the CPU, with an
 * objective that compares each example with negatives of its own, or with a value.
 *
 * <p>An example is 1 + n pairs of a user and an item, of which the first is the positive one. With
 * score {@code s = <u, v> / temperature + b_u + b_v} and {@code c = dJ/ds}, the gradients are sums
 * over the pairs of a row: {@code g_u = sum c v / temperature}, {@code g_v = sum c u /
 * temperature}, and {@code sum c} for the biases. Every row's sum is taken by one thread in the
 * order of the pairs, so that the number of threads changes no bit. O(B n D) time.
 */
final class FactorForm implements ClosedForm {

  private static final int EXAMPLES_PER_TASK = 128;

  private final Interactions interactions;
  private final SamplingOptions options;
  private final Negatives negatives;
  private final int[] userOfRow;
  private final float[] weightOfRow;
  private final float offset;
  final float temperature;
  final int pairsPerExample;
  final FactorSide users;
  final FactorSide items;
  private float[] weights = new float[0];
  private float[] losses = new float[0];
  private float[] scores = new float[0];
  private int @Nullable [] scored;
  private long scoredStep;

  private FactorForm(
      TwoTower model,
      Interactions interactions,
      SamplingOptions options,
      Negatives negatives,
      float[] weightOfRow,
      float offset,
      FactorSide users,
      FactorSide items) {
    this.interactions = interactions;
    this.options = options;
    this.negatives = negatives;
    this.userOfRow = interactions.userOfRow();
    this.weightOfRow = weightOfRow;
    this.offset = offset;
    this.temperature = model.options().temperature();
    this.pairsPerExample = 1 + (options.objective().ownNegatives() ? options.negatives() : 0);
    this.users = users;
    this.items = items;
  }

  /**
   * The closed form, or null if the model is more than ids, its tables are not in Java's reach, or
   * the objective compares with shared negatives.
   */
  static @Nullable FactorForm of(
      TwoTower model,
      Interactions interactions,
      SamplingOptions options,
      Negatives negatives,
      float[] weightOfRow,
      float offset,
      @Nullable RowCollector userRows,
      RowCollector itemRows) {
    FactorTables tables = FactorTables.of(model, options);
    if (userRows == null
        || tables == null
        || !tables.onHost()
        || options.objective().sharedNegatives()) {
      return null;
    }
    return new FactorForm(
        model,
        interactions,
        options,
        negatives,
        weightOfRow,
        offset,
        new FactorSide("user", userRows, tables.users(), tables.userBiases()),
        new FactorSide("item", itemRows, tables.items(), tables.itemBiases()));
  }

  @Override
  public Result compute(int[] examples, float @Nullable [] factors, long step) {
    boolean known = examples == scored && step == scoredStep;
    scored = null;
    double loss;
    if (known) {
      loss = weigh(examples, factors);
    } else {
      draw(examples, step);
      if (factors != null) {
        for (int e = 0; e < examples.length; e++) {
          weights[e] *= factors[e];
        }
      }
      loss = score(examples);
    }
    return new Result((float) loss, Double.isFinite(loss) ? gradients() : Map.of());
  }

  /**
   * Says that the batch was drawn and scored, and that its slopes are those without factors: if the
   * very next computation is of this batch, before the parameters move, it need not do so again.
   */
  void leave(int[] examples, long step) {
    scored = examples;
    scoredStep = step;
  }

  /** Puts factors to what was scored without. */
  private double weigh(int[] examples, float @Nullable [] factors) {
    double sum = 0;
    for (int e = 0; e < examples.length; e++) {
      float factor = factors == null ? 1 : factors[e];
      sum += (double) (weights[e] * factor) * losses[e];
      for (int pair = e * pairsPerExample; pair < (e + 1) * pairsPerExample; pair++) {
        scores[pair] *= factor;
      }
    }
    return sum / examples.length;
  }

  /** Draws the pairs of the examples and reads their rows. */
  void draw(int[] examples, long step) {
    drawPairs(examples, step);
    read();
  }

  /** Reads the rows of the pairs that were drawn. */
  void read() {
    users.read();
    items.read();
  }

  /** The slopes dJ/ds of the pairs, which {@link #score} has left. */
  float[] slopes() {
    return scores;
  }

  /** The loss of each example without its weight, which {@link #score} has left. */
  float[] losses() {
    return losses;
  }

  /** The gradients of the rows from the slopes. */
  Map<String, RowGradient> gradients() {
    Map<String, RowGradient> gradients = new LinkedHashMap<>();
    // The user's bias cancels in a comparison of two of the user's items: its gradient is zero, and
    // what rounding leaves of it must not reach an optimizer that divides by its size.
    boolean userBiasCancels = options.objective() == Objective.BPR;
    users.addGradients(scores, items, temperature, userBiasCancels, gradients);
    items.addGradients(scores, users, temperature, false, gradients);
    return gradients;
  }

  /**
   * Draws the pairs of the examples, on the calling thread alone. Loops that do one thing each, so
   * that their cache misses overlap.
   */
  void drawPairs(int[] examples, long step) {
    scored = null;
    int size = examples.length;
    int pairs = size * pairsPerExample;
    reserve(size, pairs);
    int[] userOfExample = new int[size];
    int[] itemOfExample = new int[size];
    for (int e = 0; e < size; e++) {
      userOfExample[e] = userOfRow[examples[e]];
      itemOfExample[e] = interactions.itemAt(examples[e]);
      weights[e] = weightOfRow[examples[e]];
    }
    users.start(pairs);
    items.start(pairs);
    int[] drawn = negatives.draw(items.rows, userOfExample, step);
    int negativesPerExample = pairsPerExample - 1;
    for (int e = 0; e < size; e++) {
      int pair = e * pairsPerExample;
      items.ofPair[pair] = items.rows.add(itemOfExample[e]);
      System.arraycopy(drawn, e * negativesPerExample, items.ofPair, pair + 1, negativesPerExample);
    }
    for (int e = 0; e < size; e++) {
      int user = users.rows.add(userOfExample[e]);
      int pair = e * pairsPerExample;
      Arrays.fill(users.ofPair, pair, pair + pairsPerExample, user);
    }
  }

  private void reserve(int size, int pairs) {
    if (weights.length < size) {
      weights = new float[size];
      losses = new float[size];
      scores = new float[pairs];
    }
  }

  /** Computes the scores, puts dJ/ds in their place and returns J. */
  double score(int[] examples) {
    int tasks = HostTeam.tasks(examples.length, EXAMPLES_PER_TASK);
    double[] losses = new double[tasks];
    HostTeam.shared()
        .run(
            tasks,
            () ->
                task -> {
                  int end = Math.min(examples.length, (task + 1) * EXAMPLES_PER_TASK);
                  double sum = 0;
                  for (int e = task * EXAMPLES_PER_TASK; e < end; e++) {
                    sum += scoreExample(examples, e);
                  }
                  losses[task] = sum;
                });
    double sum = 0;
    for (double loss : losses) {
      sum += loss;
    }
    return sum / examples.length;
  }

  /** The weighted loss of an example; its scores become weighted slopes, divided by B. */
  private double scoreExample(int[] examples, int e) {
    int from = e * pairsPerExample;
    int to = from + pairsPerExample;
    for (int pair = from; pair < to; pair++) {
      scores[pair] = scoreOf(pair);
    }
    double loss = 0;
    switch (options.objective()) {
      case SQUARED_ERROR -> {
        double error = scores[from] - (interactions.valueAt(examples[e]) - offset);
        loss = 0.5 * error * error;
        scores[from] = (float) error;
      }
      case BPR -> {
        float positive = scores[from];
        float slopes = 0;
        for (int pair = from + 1; pair < to; pair++) {
          double margin = scores[pair] - positive;
          loss += softplus(margin);
          scores[pair] = (float) (sigmoid(margin) / (pairsPerExample - 1));
          slopes += scores[pair];
        }
        loss /= pairsPerExample - 1;
        scores[from] = -slopes;
      }
      case BCE -> {
        loss = softplus(-scores[from]);
        scores[from] = (float) (-sigmoid(-scores[from]) / pairsPerExample);
        for (int pair = from + 1; pair < to; pair++) {
          loss += softplus(scores[pair]);
          scores[pair] = (float) (sigmoid(scores[pair]) / pairsPerExample);
        }
        loss /= pairsPerExample;
      }
      case SAMPLED_SOFTMAX, FULL_SOFTMAX ->
          throw new IllegalStateException("shared negatives have no closed form here");
    }
    for (int pair = from; pair < to; pair++) {
      scores[pair] *= weights[e] / examples.length;
    }
    losses[e] = (float) loss;
    return weights[e] * loss;
  }

  private float scoreOf(int pair) {
    int width = users.dimension;
    int user = users.ofPair[pair];
    int item = items.ofPair[pair];
    float product = InnerProduct.of(users.values, user * width, items.values, item * width, width);
    float score = product / temperature;
    return users.biases == null ? score : score + users.biasValues[user] + items.biasValues[item];
  }

  private static double softplus(double x) {
    return Math.max(x, 0) + Math.log(1 + Math.exp(-Math.abs(x)));
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }
}
