package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import io.sextant.nn.NamedParameter;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.RowSet;
import io.sextant.tensor.Scope;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The sum of the gradients of a step's parts. That of a table grows with the distinct rows of the
 * parts so far, so that no more than these and one part's are held at a time.
 *
 * <p>Thread safety: belongs to the training thread.
 */
final class GradientSum {

  private final List<NamedParameter> parameters;
  private final Map<String, NDArray> sums = new LinkedHashMap<>();
  private final Map<String, RowCollector> collectors = new HashMap<>();

  /** Nothing yet; the collectors, of a table's size, are made once and serve every step. */
  GradientSum(List<NamedParameter> parameters) {
    this.parameters = parameters;
  }

  /** Forgets the last step's. */
  void clear() {
    sums.clear();
    collectors.values().forEach(RowCollector::clear);
  }

  /**
   * Adds the gradients of a part.
   *
   * @param step owns the sums
   * @param share by which they are multiplied: the part's examples over the step's
   */
  void add(Scope step, Batch batch, ModelParameters.Leaves leaves, float share) {
    for (NamedParameter parameter : parameters) {
      NDArray leaf = leaves.byName().get(parameter.name());
      if (leaf != null) {
        NDArray gradient = leaf.getGradient().muli(share);
        if (parameter.table()) {
          RowSet rows = batch.rows().get(parameter.name());
          if (rows == null) {
            throw new IllegalStateException("a leaf of rows that the batch does not name");
          }
          addRows(step, parameter, rows, gradient);
        } else {
          NDArray sum = sums.get(parameter.name());
          if (sum == null) {
            sums.put(parameter.name(), step.adopt(gradient));
          } else {
            sum.addi(gradient);
          }
        }
      }
    }
  }

  private void addRows(Scope step, NamedParameter parameter, RowSet rows, NDArray gradient) {
    RowCollector collector =
        collectors.computeIfAbsent(
            parameter.name(),
            name ->
                new RowCollector(
                    Math.toIntExact(parameter.parameter().getArray().getShape().get(0))));
    int before = collector.size();
    int[] places = new int[rows.size()];
    for (int k = 0; k < places.length; k++) {
      places[k] = collector.add(rows.row(k), rows.count(k));
    }
    NDArray sum = sums.get(parameter.name());
    int more = collector.size() - before;
    if (more > 0) {
      NDArray zeros =
          step.manager().zeros(new Shape(more, gradient.getShape().get(1)), gradient.getDataType());
      if (sum == null) {
        sum = zeros;
      } else {
        try (NDArray shorter = sum) {
          sum = step.adopt(NDArrays.concat(new NDList(shorter, zeros), 0));
        }
        zeros.close();
      }
      sums.put(parameter.name(), sum);
    }
    if (sum != null) {
      NDArray index = HostArrays.longs(gradient.getManager(), places, places.length);
      RowOptimizer.write(sum, index, RowOptimizer.gather(sum, index).addi(gradient));
    }
  }

  /** The sums by parameter name. */
  Map<String, NDArray> gradients() {
    return sums;
  }

  /** The distinct rows of all parts, for each table that was read. */
  Map<String, RowSet> rows(Scope step) {
    Map<String, RowSet> rows = new HashMap<>();
    collectors.forEach(
        (name, collector) -> {
          if (sums.containsKey(name)) {
            rows.put(name, collector.toRowSet(step.manager()));
          }
        });
    return rows;
  }
}
