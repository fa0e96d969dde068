package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.Map;

/** The meta gradient of any model, by a recorded pass. */
final class RecordedMetaGradient<B extends Batch> implements MetaGradient {

  private final Scope session;
  private final LearningTask<B> meta;
  private final ModelParameters parameters;

  RecordedMetaGradient(Scope session, LearningTask<B> meta, ModelParameters parameters) {
    this.session = session;
    this.meta = meta;
    this.parameters = parameters;
  }

  @Override
  public Map<String, float[]> values(int[] examples, long step) {
    try (Scope scope = session.child()) {
      Map<String, float[]> values = new LinkedHashMap<>();
      parameters
          .leaves(scope, meta.prepare(scope, examples, step))
          .byName()
          .forEach((name, leaf) -> values.put(name, HostArrays.toFloats(leaf)));
      return values;
    }
  }

  @Override
  public Result compute(int[] examples, long step) {
    try (Scope scope = session.child()) {
      B batch = meta.prepare(scope, examples, step);
      ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
      NDArray weights = HostArrays.floats(scope.manager(), batch.weights(), examples.length);
      float loss;
      try (Grad grad = Grad.record()) {
        NDArray mean = meta.loss(leaves.values(), batch).mul(weights).mean();
        loss = mean.getFloat();
        if (Float.isFinite(loss)) {
          grad.backward(mean);
        }
      }
      Map<String, Part> parts = new LinkedHashMap<>();
      if (Float.isFinite(loss)) {
        leaves
            .byName()
            .forEach(
                (name, leaf) -> {
                  float[] values = HostArrays.toFloats(leaf);
                  float[] gradient = HostArrays.toFloats(leaf.getGradient());
                  parts.put(name, new Part(values.length, values, gradient));
                });
      }
      return new Result(loss, parts);
    }
  }

  @Override
  public double loss(int[] examples, long step) {
    try (Scope scope = session.child();
        Grad off = Grad.pause()) {
      B batch = meta.prepare(scope, examples, step);
      NDArray weights = HostArrays.floats(scope.manager(), batch.weights(), examples.length);
      ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
      return meta.loss(leaves.values(), batch).mul(weights).mean().getFloat();
    }
  }
}
