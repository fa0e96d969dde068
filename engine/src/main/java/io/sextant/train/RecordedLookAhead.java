package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.ParameterValues;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.HashMap;
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
  private final InteractionTask<B> task;
  private final InteractionTask<B> meta;
  private final @Nullable InteractionTask<B> guard;
  private final ModelParameters parameters;
  private @Nullable Ahead last;

  RecordedLookAhead(
      Scope session,
      InteractionTask<B> task,
      InteractionTask<B> meta,
      @Nullable InteractionTask<B> guard,
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

  private Slopes slopes(Ahead step, InteractionTask<B> judges, int[] judgeExamples) {
    try (Scope scope = session.child()) {
      B batch = task.prepare(scope, step.examples, step.step);
      float[] own = task.rowWeights(batch);
      ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
      float loss = differentiate(scope, task, task.weighed(scope, batch, step.weights), leaves);
      if (!Float.isFinite(loss)) {
        return new Slopes(new float[own.length], Double.NaN);
      }
      Map<String, NDArray> sizes = parameters.stepSizes(batch, leaves, step.factor);
      Map<String, NDArray> shifts = new LinkedHashMap<>();
      leaves
          .byName()
          .forEach((name, leaf) -> shifts.put(name, times(sizes, name, leaf.getGradient())));

      B judge = judges.prepare(scope, judgeExamples, step.step);
      ModelParameters.Leaves ahead = parameters.leavesAhead(scope, judge, batch, shifts);
      float metaLoss = differentiate(scope, judges, judge, ahead);
      if (!Float.isFinite(metaLoss)) {
        return new Slopes(new float[own.length], Double.NaN);
      }
      Map<String, NDArray> direction =
          parameters.carriedGradients(scope, judge, ahead, batch, leaves);
      direction.replaceAll((name, gradient) -> times(sizes, name, gradient));
      double norm = norm(direction);
      if (norm == 0) {
        return new Slopes(new float[own.length], metaLoss);
      }
      float span = (float) (SPAN / norm);
      float[] up = lossesAt(scope, batch, leaves, direction, span);
      float[] down = lossesAt(scope, batch, leaves, direction, -span);
      float[] perRow = new float[own.length];
      for (int p = 0; p < perRow.length; p++) {
        perRow[p] = -own[p] / batch.size() * (up[p] - down[p]) / (2 * span);
      }
      return new Slopes(perRow, metaLoss);
    }
  }

  @Override
  public float[] losses(int[] rows, long step) {
    int[] examples = task.examplesOf(rows);
    Map<Integer, Float> lossOf = new HashMap<>();
    if (examples.length > 0) {
      try (Scope scope = session.child()) {
        B batch = task.prepare(scope, examples, step);
        float[] losses = task.rowLosses(parameters.leaves(scope, batch).values(), batch);
        int[] learned = task.rowsOf(examples);
        for (int p = 0; p < learned.length; p++) {
          lossOf.put(learned[p], losses[p]);
        }
      }
    }
    float[] losses = new float[rows.length];
    for (int r = 0; r < rows.length; r++) {
      losses[r] = lossOf.getOrDefault(rows[r], Float.NaN);
    }
    return losses;
  }

  private static <B extends Batch> float differentiate(
      Scope scope, LearningTask<B> task, B batch, ModelParameters.Leaves leaves) {
    NDArray factors = HostArrays.floats(scope.manager(), batch.weights(), batch.size());
    try (Grad grad = Grad.record()) {
      NDArray mean = task.loss(leaves.values(), batch).mul(factors).mean();
      float loss = mean.getFloat();
      if (Float.isFinite(loss)) {
        grad.backward(mean);
      }
      return loss;
    }
  }

  private float[] lossesAt(
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
    return task.rowLosses(values, batch);
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
