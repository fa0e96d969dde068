package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.ParameterValues;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The look-ahead of any model: two recorded passes, and the derivative of every example's loss
 * along the direction d from two passes that are not recorded,
 *
 * <pre>
 *   &lt;grad l_i, d&gt; = (l_i(theta + h d) - l_i(theta - h d)) / 2h,   h = 0.03 / |d|
 * </pre>
 *
 * <p>In float32 a much smaller h drowns in rounding, and a much larger one leaves the line.
 */
final class RecordedLookAhead<B extends Batch> implements LookAhead {

  private static final double SPAN = 0.03;

  private final Scope session;
  private final LearningTask<B> task;
  private final LearningTask<B> meta;
  private final @Nullable LearningTask<B> guard;
  private final ModelParameters parameters;
  private @Nullable Ahead last;

  RecordedLookAhead(
      Scope session,
      LearningTask<B> task,
      LearningTask<B> meta,
      @Nullable LearningTask<B> guard,
      ModelParameters parameters) {
    this.session = session;
    this.task = task;
    this.meta = meta;
    this.guard = guard;
    this.parameters = parameters;
  }

  /** The step that was looked ahead. */
  @SuppressWarnings("ArrayRecordComponent") // Kept, not compared.
  private record Ahead(
      int[] examples, float[] weights, int[] guardExamples, long step, float factor) {}

  @Override
  public Slopes slopes(
      int[] examples,
      float[] weights,
      int[] metaExamples,
      int[] guardExamples,
      long step,
      float factor) {
    last = new Ahead(examples, weights, guardExamples, step, factor);
    return slopes(last, meta, metaExamples);
  }

  @Override
  public Slopes guardSlopes() {
    if (guard == null || last == null) {
      throw new IllegalStateException("there is no guard, or no step that was looked ahead");
    }
    return slopes(last, guard, last.guardExamples);
  }

  private Slopes slopes(Ahead step, LearningTask<B> judges, int[] judgeExamples) {
    int[] examples = step.examples;
    float[] weights = step.weights;
    int n = examples.length;
    try (Scope scope = session.child()) {
      B batch = task.prepare(scope, examples, step.step);
      float[] own = batch.weights();
      float[] all = new float[n];
      for (int e = 0; e < n; e++) {
        all[e] = own[e] * weights[e];
      }
      ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
      float loss = differentiate(scope, task, batch, leaves, all);
      if (!Float.isFinite(loss)) {
        return new Slopes(new float[n], Double.NaN);
      }
      Map<String, NDArray> sizes = parameters.stepSizes(batch, leaves, step.factor);
      Map<String, NDArray> shifts = new LinkedHashMap<>();
      leaves
          .byName()
          .forEach((name, leaf) -> shifts.put(name, times(sizes, name, leaf.getGradient())));

      B judge = judges.prepare(scope, judgeExamples, step.step);
      ModelParameters.Leaves ahead = parameters.leavesAhead(scope, judge, batch, shifts);
      float metaLoss = differentiate(scope, judges, judge, ahead, judge.weights());
      if (!Float.isFinite(metaLoss)) {
        return new Slopes(new float[n], Double.NaN);
      }
      Map<String, NDArray> direction =
          parameters.carriedGradients(scope, judge, ahead, batch, leaves);
      direction.replaceAll((name, gradient) -> times(sizes, name, gradient));
      double norm = norm(direction);
      if (norm == 0) {
        return new Slopes(new float[n], metaLoss);
      }
      float span = (float) (SPAN / norm);
      float[] up = HostArrays.toFloats(lossAt(scope, batch, leaves, direction, span));
      float[] down = HostArrays.toFloats(lossAt(scope, batch, leaves, direction, -span));
      float[] perExample = new float[n];
      for (int e = 0; e < n; e++) {
        perExample[e] = -own[e] / n * (up[e] - down[e]) / (2 * span);
      }
      return new Slopes(perExample, metaLoss);
    }
  }

  @Override
  public float[] losses(int[] examples, long step) {
    try (Scope scope = session.child()) {
      B batch = task.prepare(scope, examples, step);
      return HostArrays.toFloats(task.loss(parameters.leaves(scope, batch).values(), batch));
    }
  }

  private static <B extends Batch> float differentiate(
      Scope scope, LearningTask<B> task, B batch, ModelParameters.Leaves leaves, float[] weights) {
    NDArray factors = HostArrays.floats(scope.manager(), weights, weights.length);
    try (Grad grad = Grad.record()) {
      NDArray mean = task.loss(leaves.values(), batch).mul(factors).mean();
      float loss = mean.getFloat();
      if (Float.isFinite(loss)) {
        grad.backward(mean);
      }
      return loss;
    }
  }

  private NDArray lossAt(
      Scope scope,
      B batch,
      ModelParameters.Leaves leaves,
      Map<String, NDArray> direction,
      float span) {
    ParameterValues values = new ParameterValues(scope.manager());
    for (NamedParameter parameter : task.parameters()) {
      NDArray leaf = leaves.byName().get(parameter.name());
      NDArray along = direction.get(parameter.name());
      if (leaf != null && along != null) {
        values.put(parameter.parameter(), leaf.stopGradient().add(along.mul(span)));
      }
    }
    return task.loss(values, batch);
  }

  private static NDArray times(Map<String, NDArray> sizes, String name, NDArray gradient) {
    NDArray size = sizes.get(name);
    if (size == null) {
      throw new IllegalStateException("there is no step size of " + name);
    }
    return gradient.mul(size);
  }

  private static double norm(Map<String, NDArray> direction) {
    double sum = 0;
    for (NDArray part : direction.values()) {
      try (NDArray square = part.square();
          NDArray total = square.sum()) {
        sum += total.getFloat();
      }
    }
    return Math.sqrt(sum);
  }
}
