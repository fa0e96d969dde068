package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A user's vector adapted to a few events by gradient steps whose start and step sizes are learned:
 *
 * <pre>
 *   u_0     = c + sum of the rows of the user's features
 *   L(u)    = n^-g sum over events s of l(u, x_s)  +  lambda/2 |u - u_0|^2
 *   u_(k+1) = u_k - alpha_k * grad L(u_k)          alpha_k (D) > 0, k = 0, 1, 2
 *   score   = u_K . y_j
 * </pre>
 *
 * with, over m negatives z and s = sigmoid:
 *
 * <pre>
 *   logistic  l = -log s(u.x) - 1/m sum_z log s(-u.z)
 *             grad l = -s(-u.x) x + 1/m sum_z s(u.z) z
 *   softmax   l = -u.x + log(e^(u.x) + I/m sum_z e^(u.z))
 *             grad l = q (sum_z softmax(u.z) z - x),    q = s(log(I/m sum_z e^(u.z)) - u.x)
 * </pre>
 *
 * The inner gradient is written out as ordinary operations, so one pass backward gives the exact
 * outer gradient to c, the features, alpha, lambda, g and the item vectors, and no second order is
 * ever asked of the engine. Learned positive numbers are kept as their logarithms. The source is
 * Meta-SGD (Li, Zhou, Chen and Li, <a href="https://arxiv.org/abs/1707.09835">arXiv:1707.09835</a>)
 * applied to the user's vector alone, as in ANIL (Raghu et al., ICLR 2020); beyond it are a rate
 * for each step, the pull lambda, the learned power of the number of events, and inner item vectors
 * x that may differ from the y.
 *
 * <p>Complexity: O(K (n + m) D) for each user.
 *
 * <p>Thread safety: forward passes may run on several threads at the same time as long as nobody
 * changes the parameters.
 */
public final class FewShotModel {

  private static final float START_PULL = 0.01f;
  private static final float START_POWER = 0.5f;

  private final FewShotOptions options;
  private final NDArray given;
  private final int[] negatives;
  private final NDArray negativeItems;
  private final Parameter start;
  private final @Nullable Parameter features;
  private final List<Parameter> logRates = new ArrayList<>();
  private final @Nullable Parameter logPull;
  private final @Nullable Parameter power;
  private final @Nullable Parameter map;
  private final @Nullable Parameter innerItems;
  private final @Nullable Parameter outerItems;

  /**
   * A model whose parameters are in the scope's memory.
   *
   * @param itemVectors (I, D) given item vectors, lent for the model's lifetime
   * @param start (D) where c starts
   * @param features of the users; width 0 for none
   * @param negatives items that the inner loss holds against the events
   */
  public FewShotModel(
      Scope scope,
      NDArray itemVectors,
      float[] start,
      FeatureBags features,
      int[] negatives,
      FewShotOptions options) {
    this.options = options;
    this.negatives = negatives.clone();
    given = itemVectors;
    NDManager manager = scope.manager();
    int width = start.length;
    boolean learnsSteps = options.method() == FewShotOptions.Method.META_SGD;
    boolean tunes = options.items() == FewShotOptions.Items.TUNED;
    negativeItems = HostArrays.longs(manager, negatives, negatives.length);
    this.start = parameter("start", HostArrays.floats(manager, start, 1, width));
    this.features =
        features.width() == 0
            ? null
            : parameter(
                "features", manager.zeros(new Shape(features.numRows(), width), DataType.FLOAT32));
    if (learnsSteps) {
      for (int k = 0; k < options.steps(); k++) {
        logRates.add(parameter("rate", constant(manager, Math.log(options.rate()), width)));
      }
    }
    // The first step starts at u_0, where nothing pulls.
    logPull =
        learnsSteps && options.steps() > 1
            ? parameter("pull", constant(manager, Math.log(START_PULL), 1))
            : null;
    power = learnsSteps ? parameter("power", constant(manager, START_POWER, 1)) : null;
    map =
        options.items() == FewShotOptions.Items.MAPPED
            ? parameter("map", manager.eye(width))
            : null;
    innerItems = tunes && learnsSteps ? parameter("inner", itemVectors.duplicate()) : null;
    outerItems = tunes ? parameter("outer", itemVectors.duplicate()) : null;
    for (NamedParameter named : namedParameters()) {
      scope.adopt(named.parameter().getArray());
    }
  }

  private static NDArray constant(NDManager manager, double value, int width) {
    float[] values = new float[width];
    Arrays.fill(values, (float) value);
    return HostArrays.floats(manager, values, 1, width);
  }

  private static Parameter parameter(String name, NDArray value) {
    Parameter parameter = Parameter.builder().setName(name).setType(Parameter.Type.OTHER).build();
    parameter.setArray(value);
    // Gradients go to leaves that are made for each step, never to the parameter itself.
    value.setRequiresGradient(false);
    return parameter;
  }

  /** What this model was made with. */
  public FewShotOptions options() {
    return options;
  }

  /** The items that the inner loss holds against the events. */
  public int[] negatives() {
    return negatives.clone();
  }

  /** How many items there are, I. */
  public int numItems() {
    return (int) given.getShape().get(0);
  }

  /** All parameters with the names under which they are saved. */
  public List<NamedParameter> namedParameters() {
    List<NamedParameter> named = new ArrayList<>();
    add(named, "start", start, NamedParameter.Group.DENSE);
    add(named, "features", features, NamedParameter.Group.USER);
    for (int k = 0; k < logRates.size(); k++) {
      add(named, "logRate" + k, logRates.get(k), NamedParameter.Group.DENSE);
    }
    add(named, "logPull", logPull, NamedParameter.Group.DENSE);
    add(named, "power", power, NamedParameter.Group.DENSE);
    add(named, "map", map, NamedParameter.Group.DENSE);
    add(named, "inner", innerItems, NamedParameter.Group.ITEM);
    add(named, "outer", outerItems, NamedParameter.Group.ITEM);
    return named;
  }

  private static void add(
      List<NamedParameter> named,
      String name,
      @Nullable Parameter parameter,
      NamedParameter.Group group) {
    if (parameter != null) {
      named.add(NamedParameter.dense(name, parameter, group));
    }
  }

  /** The item vectors y (I, D) at the model's present parameters: not a copy. */
  public NDArray scoreVectors() {
    return outerItems == null ? given : outerItems.getArray();
  }

  /** The item vectors x (I * D) of the inner steps at the model's present parameters. */
  public float[] stepVectors() {
    if (innerItems != null) {
      return HostArrays.toFloats(innerItems.getArray());
    }
    if (map == null) {
      return HostArrays.toFloats(scoreVectors());
    }
    try (NDArray mapped = given.matMul(map.getArray())) {
      return HostArrays.toFloats(mapped);
    }
  }

  /**
   * The present parameters as values whose results belong to this manager, where a parameter's own
   * would belong to the model's.
   */
  public ParameterValues values(NDManager manager) {
    ParameterValues values = new ParameterValues(manager);
    for (NamedParameter named : namedParameters()) {
      NDArray view = named.parameter().getArray().stopGradient();
      view.attach(manager);
      values.put(named.parameter(), view);
    }
    return values;
  }

  /** The users' vectors after the steps (B, D). */
  public NDArray adapt(ParameterStore values, FewShotInput input) {
    NDArray u0 = startOf(values, input);
    NDArray x = vectors(values, input.events());
    NDArray z = negatives.length == 0 ? null : vectors(values, negativeItems);
    NDArray weights = weights(values, input);
    NDArray pull = logPull == null ? null : value(values, logPull).exp();
    NDArray u = u0;
    for (int k = 0; k < options.steps(); k++) {
      NDArray gradient = lossGradient(u, x, z, weights);
      if (pull != null && k > 0) {
        gradient = gradient.add(u.sub(u0).mul(pull));
      }
      NDArray change =
          logRates.isEmpty()
              ? Grad.times(gradient, options.rate()).stopGradient()
              : value(values, logRates.get(k)).exp().mul(gradient);
      u = u.sub(change);
    }
    return u;
  }

  /**
   * Scores (B, C) of adapted users.
   *
   * @param columns (C) items, or null for all
   */
  public NDArray scores(ParameterStore values, NDArray users, @Nullable NDArray columns) {
    NDArray y = outerItems == null ? given : value(values, outerItems);
    NDArray rows = (columns == null ? y : RowOptimizer.gather(y, columns)).transpose();
    // Of given vectors it would stay as long as they do.
    rows.attach(users.getManager());
    return users.matMul(rows);
  }

  private NDArray startOf(ParameterStore values, FewShotInput input) {
    NDArray c = value(values, start);
    NDArray rows = input.featureRows();
    NDArray rowWeights = input.featureWeights();
    if (features == null || rows == null || rowWeights == null) {
      return c.broadcast(input.mask().getShape().get(0), c.getShape().get(1));
    }
    NDArray table = value(values, features);
    return EntityEncoder.weightedMean(RowOptimizer.gather(table, rows), rowWeights).add(c);
  }

  /** Inner vectors of items of any shape. */
  private NDArray vectors(ParameterStore values, NDArray items) {
    if (innerItems != null) {
      return RowOptimizer.gather(value(values, innerItems), items);
    }
    if (outerItems != null) {
      return RowOptimizer.gather(value(values, outerItems), items);
    }
    NDArray rows = RowOptimizer.gather(given, items);
    return map == null ? rows : rows.matMul(value(values, map));
  }

  /** What each event counts (B, n): n^-g; without a learned g 1/n. */
  private NDArray weights(ParameterStore values, FewShotInput input) {
    NDArray exponent =
        power == null ? input.logCount() : input.logCount().mul(value(values, power));
    return input.mask().mul(exponent.neg().exp());
  }

  /** The gradient (B, D) of the events' loss at u. */
  private NDArray lossGradient(NDArray u, NDArray x, @Nullable NDArray z, NDArray weights) {
    NDArray own = x.batchMatMul(u.expandDims(2)).squeeze(2); // (B, n)
    if (options.loss() == FewShotOptions.Loss.LOGISTIC) {
      NDArray gradient = sumOf(sigmoid(own.neg()).mul(weights), x).neg();
      if (z == null) {
        return gradient;
      }
      NDArray share = Grad.times(weights.sum(new int[] {1}, true), 1f / negatives.length);
      return gradient.add(sigmoid(u.matMul(z.transpose())).mul(share).matMul(z));
    }
    if (z == null) {
      throw new IllegalStateException("options promise negatives for the softmax loss");
    }
    NDArray other = u.matMul(z.transpose()); // (B, m)
    NDArray probability = other.softmax(1);
    // log sum exp = other - log softmax, in any column.
    NDArray logSum = other.sub(other.logSoftmax(1)).mean(new int[] {1}, true);
    NDArray q =
        sigmoid(logSum.add((float) Math.log((double) numItems() / negatives.length)).sub(own))
            .mul(weights);
    return probability.mul(q.sum(new int[] {1}, true)).matMul(z).sub(sumOf(q, x));
  }

  private static NDArray sumOf(NDArray weights, NDArray x) {
    return EntityEncoder.weightedMean(x, weights);
  }

  private static NDArray sigmoid(NDArray x) {
    return Activation.sigmoid(x);
  }

  private NDArray value(ParameterStore values, Parameter parameter) {
    return values.getValue(parameter, given.getDevice(), true);
  }
}
