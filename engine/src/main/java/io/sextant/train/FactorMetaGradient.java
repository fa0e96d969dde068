package io.sextant.train;

import io.sextant.tensor.RowGradient;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The meta gradient of matrix factorisation, in closed form. */
final class FactorMetaGradient implements MetaGradient {

  private final FactorForm meta;

  FactorMetaGradient(FactorForm meta) {
    this.meta = meta;
  }

  @Override
  public Map<String, float[]> values(int[] examples, long step) {
    meta.draw(examples, step);
    Map<String, float[]> values = new LinkedHashMap<>();
    for (FactorSide side : new FactorSide[] {meta.users, meta.items}) {
      int size = side.rows.size();
      values.put(side.name + ".id", Arrays.copyOf(side.values, size * side.dimension));
      if (side.biases != null) {
        values.put(side.name + ".bias", Arrays.copyOf(side.biasValues, size));
      }
    }
    return values;
  }

  @Override
  public Result compute(int[] examples, long step) {
    ClosedForm.Result result = meta.compute(examples, null, step);
    Map<String, Part> parts = new LinkedHashMap<>();
    for (Map.Entry<String, RowGradient> entry : result.gradients().entrySet()) {
      RowGradient rows = entry.getValue();
      parts.put(
          entry.getKey(), new Part(rows.size() * rows.dimension(), rows.values(), rows.gradient()));
    }
    return new Result(result.loss(), parts);
  }

  @Override
  public double loss(int[] examples, long step) {
    meta.draw(examples, step);
    return meta.score(examples);
  }
}
