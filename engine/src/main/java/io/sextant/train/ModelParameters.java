package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.ParameterValues;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.DenseAdam;
import io.sextant.tensor.Grad;
import io.sextant.tensor.GradientClipping;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.RowCache;
import io.sextant.tensor.RowGradient;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.RowSet;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The parameters of a task with their optimizers.
 *
 * <p>A step never differentiates with respect to a parameter itself. It makes leaves: for a table
 * the K rows that the batch reads, gathered into a new array; for a dense weight a second view of
 * its memory. Backward fills the leaves' gradients, and the optimizers move rows and weights in
 * place. Leaves die with the step, so nothing has to be zeroed, and a table-sized gradient never
 * exists.
 */
final class ModelParameters implements AutoCloseable {

  private final List<NamedParameter> parameters;
  private final TrainingOptions options;
  private final Map<String, TrainedTable> tables = new LinkedHashMap<>();
  private final Map<String, DenseAdam> denseOptimizers = new HashMap<>();
  private final Map<String, NDArray> best = new LinkedHashMap<>();
  private final Map<NamedParameter.Group, Float> rates = new EnumMap<>(NamedParameter.Group.class);
  private final NDManager manager;

  ModelParameters(Scope session, List<NamedParameter> parameters, TrainingOptions options) {
    this.parameters = parameters;
    this.options = options;
    this.manager = session.manager();
    rates.put(NamedParameter.Group.USER, options.userLearningRate());
    rates.put(NamedParameter.Group.ITEM, options.itemLearningRate());
    rates.put(NamedParameter.Group.DENSE, options.learningRate());
    TableBudget budget = TableBudget.of(parameters, options);
    for (NamedParameter parameter : parameters) {
      if (parameter.table()) {
        tables.put(
            parameter.name(), new TrainedTable(session, parameter, options.rowOptimizer(), budget));
      } else {
        denseOptimizers.put(parameter.name(), new DenseAdam(session, valueOf(parameter)));
      }
    }
  }

  /** Leaves for a batch, which live as long as the step's scope. */
  Leaves leaves(Scope step, Batch batch) {
    ParameterValues values = new ParameterValues(step.manager());
    Map<String, NDArray> leaves = new LinkedHashMap<>();
    for (NamedParameter parameter : parameters) {
      NDArray leaf;
      if (parameter.table()) {
        RowSet rows = batch.rows().get(parameter.name());
        if (rows == null) {
          continue;
        }
        leaf = table(parameter).read(step.manager(), rows);
        leaf.setRequiresGradient(true);
      } else {
        leaf = Grad.leaf(valueOf(parameter), step.manager());
      }
      values.put(parameter.parameter(), leaf);
      leaves.put(parameter.name(), leaf);
    }
    return new Leaves(values, leaves);
  }

  /**
   * Leaves for a batch at the values that one step on other rows would lead to.
   *
   * @param other the batch of that step
   * @param shifts what that step takes away, by parameter name, in the rows of the other batch
   */
  Leaves leavesAhead(Scope step, Batch batch, Batch other, Map<String, NDArray> shifts) {
    ParameterValues values = new ParameterValues(step.manager());
    Map<String, NDArray> leaves = new LinkedHashMap<>();
    for (NamedParameter parameter : parameters) {
      NDArray shift = shifts.get(parameter.name());
      NDArray ahead;
      if (parameter.table()) {
        RowSet rows = batch.rows().get(parameter.name());
        if (rows == null) {
          continue;
        }
        ahead = table(parameter).read(step.manager(), rows);
        if (shift != null) {
          ahead.subi(carried(step, shift, rowsOf(other.rows(), parameter), rows));
        }
        ahead.setRequiresGradient(true);
      } else {
        NDArray value = valueOf(parameter);
        ahead = step.adopt(shift == null ? value.duplicate() : value.sub(shift));
        ahead.setRequiresGradient(true);
      }
      values.put(parameter.parameter(), ahead);
      leaves.put(parameter.name(), ahead);
    }
    return new Leaves(values, leaves);
  }

  /** The rows of one set in the order of another, zero where it lacks them. */
  private static NDArray carried(Scope step, NDArray values, RowSet from, RowSet to) {
    NDArray zeros =
        step.manager().zeros(new Shape(1, values.getShape().get(1)), values.getDataType());
    NDArray index = HostArrays.longs(step.manager(), to.placesIn(from), to.size());
    return RowOptimizer.gather(NDArrays.concat(new NDList(values, zeros), 0), index);
  }

  /**
   * The gradients of one batch's leaves in the rows of another's; zero where they do not meet.
   *
   * @param known the batch and the leaves that have gradients
   * @param wanted the batch in whose rows they are wanted, with its leaves
   */
  Map<String, NDArray> carriedGradients(
      Scope step, Batch known, Leaves knownLeaves, Batch wanted, Leaves wantedLeaves) {
    Map<String, NDArray> carried = new LinkedHashMap<>();
    for (NamedParameter parameter : parameters) {
      NDArray leaf = wantedLeaves.byName().get(parameter.name());
      if (leaf == null) {
        continue;
      }
      NDArray source = knownLeaves.byName().get(parameter.name());
      if (source == null) {
        carried.put(parameter.name(), leaf.zerosLike());
      } else if (parameter.table()) {
        carried.put(
            parameter.name(),
            carried(
                step,
                source.getGradient(),
                rowsOf(known.rows(), parameter),
                rowsOf(wanted.rows(), parameter)));
      } else {
        carried.put(parameter.name(), source.getGradient());
      }
    }
    return carried;
  }

  /**
   * The size of the next step per unit of gradient, alpha D: the optimizer's diagonal times its
   * group's rate, by parameter name.
   */
  Map<String, NDArray> stepSizes(Batch batch, Leaves leaves, float factor) {
    Map<String, NDArray> sizes = new LinkedHashMap<>();
    for (NamedParameter parameter : parameters) {
      NDArray leaf = leaves.byName().get(parameter.name());
      if (leaf != null) {
        NDArray gradient = leaf.getGradient();
        NDArray diagonal =
            parameter.table()
                ? table(parameter).diagonal(rowsOf(batch.rows(), parameter), gradient)
                : denseOptimizer(parameter).diagonal(gradient);
        sizes.put(parameter.name(), diagonal.muli(factor * rateOf(parameter.group())));
      }
    }
    return sizes;
  }

  /** The same for one table in Java's memory: alpha D (K, D) into the array. */
  void stepSizesOnHost(String name, RowGradient gradient, float factor, float[] into) {
    for (NamedParameter parameter : parameters) {
      if (parameter.name().equals(name)) {
        rowOptimizer(parameter)
            .diagonalOnHost(
                gradient.rows(), gradient.size(), gradient.dimension(), gradient.gradient(), into);
        float rate = factor * rateOf(parameter.group());
        for (int d = 0; d < gradient.size() * gradient.dimension(); d++) {
          into[d] *= rate;
        }
      }
    }
  }

  /**
   * Moves the parameters along their leaves' gradients.
   *
   * @param factor the schedule's factor on all step sizes
   */
  void update(Scope step, Batch batch, Leaves leaves, float factor) {
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    Map<String, NDArray> values = new LinkedHashMap<>();
    leaves
        .byName()
        .forEach(
            (name, leaf) -> {
              gradients.put(name, leaf.getGradient());
              if (options.l2() != 0) {
                values.put(name, leaf.stopGradient());
              }
            });
    update(step, batch.rows(), gradients, values, batch.size(), factor);
  }

  /**
   * Moves the parameters along the summed gradients of several batches.
   *
   * @param size how many examples the batches have together
   * @param factor the schedule's factor on all step sizes
   */
  void update(Scope step, GradientSum sum, int size, float factor) {
    Map<String, RowSet> rows = sum.rows(step);
    Map<String, NDArray> values = new LinkedHashMap<>();
    for (NamedParameter parameter : parameters) {
      NDArray gradient = sum.gradients().get(parameter.name());
      if (gradient != null && options.l2() != 0) {
        values.put(
            parameter.name(),
            parameter.table()
                ? table(parameter).read(step.manager(), rowsOf(rows, parameter))
                : step.adopt(valueOf(parameter).duplicate()));
      }
    }
    update(step, rows, sum.gradients(), values, size, factor);
  }

  private void update(
      Scope step,
      Map<String, RowSet> rows,
      Map<String, NDArray> gradients,
      Map<String, NDArray> values,
      int size,
      float factor) {
    if (options.l2() != 0) {
      for (NamedParameter parameter : parameters) {
        NDArray gradient = gradients.get(parameter.name());
        if (gradient != null) {
          NDArray value = required(values, parameter.name());
          gradient.addi(penalty(step, rows, parameter, value, size));
        }
      }
    }
    if (options.clipNorm() != Double.POSITIVE_INFINITY) {
      GradientClipping.clipByGlobalNorm(new ArrayList<>(gradients.values()), options.clipNorm());
    }
    for (NamedParameter parameter : parameters) {
      NDArray gradient = gradients.get(parameter.name());
      if (gradient == null) {
        continue;
      }
      float rate = factor * rateOf(parameter.group());
      if (parameter.table()) {
        table(parameter).step(step.manager(), rowsOf(rows, parameter), gradient, rate);
      } else {
        denseOptimizer(parameter).step(valueOf(parameter), gradient, rate, options.weightDecay());
      }
    }
  }

  /**
   * Moves tables along gradients that are in Java's memory.
   *
   * @param batchSize B
   * @param factor the schedule's factor on all step sizes
   */
  void update(Map<String, RowGradient> gradients, int batchSize, float factor) {
    if (options.l2() != 0) {
      gradients.values().forEach(g -> regularise(g, options.l2() / batchSize));
    }
    if (options.clipNorm() != Double.POSITIVE_INFINITY) {
      GradientClipping.clipRowsByGlobalNorm(
          new ArrayList<>(gradients.values()), options.clipNorm());
    }
    for (NamedParameter parameter : parameters) {
      RowGradient gradient = required(gradients, parameter.name());
      rowOptimizer(parameter)
          .stepOnHost(
              valueOf(parameter),
              gradient.rows(),
              gradient.size(),
              FloatBuffer.wrap(gradient.gradient()),
              factor * rateOf(parameter.group()));
    }
  }

  /**
   * Moves parameters along gradients that stay on the device, without waiting for it.
   *
   * @param tables by parameter name; changed
   * @param dense those of the dense weights, in their shapes; changed
   * @param batchSize B
   * @param factor the schedule's factor on all step sizes
   */
  void updateOnDevice(
      Map<String, ResidentGradient> tables,
      Map<String, NDArray> dense,
      int batchSize,
      float factor) {
    if (options.l2() != 0) {
      for (ResidentGradient g : tables.values()) {
        NDArray l2 = Numbers.of(g.gradient().getManager(), options.l2() / batchSize);
        g.gradient().addi(g.counts().mul(l2).mul(g.values()));
      }
      for (NamedParameter parameter : parameters) {
        NDArray gradient = dense.get(parameter.name());
        if (gradient != null) {
          try (NDArray l2 = Numbers.of(gradient.getManager(), options.l2());
              NDArray value = valueOf(parameter).mul(l2)) {
            gradient.addi(value);
          }
        }
      }
    }
    if (options.clipNorm() != Double.POSITIVE_INFINITY) {
      NDList squares = new NDList();
      dense.values().forEach(gradient -> squares.add(gradient.square().sum()));
      for (ResidentGradient g : tables.values()) {
        squares.add(g.gradient().square().mul(g.once()).sum());
      }
      NDArray norm = NDArrays.stack(squares).sum().sqrt();
      // The limit over the norm, or 1 for a norm below it.
      NDArray limit = Numbers.of(norm.getManager(), (float) options.clipNorm());
      NDArray clip = norm.onesLike().divi(norm.maximum(limit)).muli(limit);
      tables.values().forEach(g -> g.gradient().muli(clip));
      dense.values().forEach(gradient -> gradient.muli(clip));
    }
    for (NamedParameter parameter : parameters) {
      float rate = factor * rateOf(parameter.group());
      NDArray value = valueOf(parameter);
      if (parameter.table()) {
        ResidentGradient gradient = required(tables, parameter.name());
        rowOptimizer(parameter).stepOnDevice(value, gradient.index(), gradient.gradient(), rate);
      } else {
        NDArray gradient = required(dense, parameter.name());
        denseOptimizer(parameter).step(value, gradient, rate, options.weightDecay());
      }
    }
  }

  /** Moves dense weights along gradients that are in Java's memory, without regularisation. */
  void updateDense(Scope step, Map<String, float[]> gradients) {
    for (NamedParameter parameter : parameters) {
      NDArray value = valueOf(parameter);
      float[] flat = required(gradients, parameter.name());
      NDArray gradient = HostArrays.floats(step.manager(), flat, value.getShape().getShape());
      denseOptimizer(parameter)
          .step(value, gradient, rateOf(parameter.group()), options.weightDecay());
    }
  }

  private static void regularise(RowGradient rows, float l2) {
    int width = rows.dimension();
    for (int k = 0; k < rows.size(); k++) {
      float factor = l2 * rows.counts()[k];
      for (int d = k * width; d < (k + 1) * width; d++) {
        rows.gradient()[d] += factor * rows.values()[d];
      }
    }
  }

  /** The gradient of the penalty at these values. */
  private NDArray penalty(
      Scope step, Map<String, RowSet> rowSets, NamedParameter parameter, NDArray value, int size) {
    float l2 = options.l2();
    if (!parameter.table()) {
      return value.mul(l2);
    }
    RowSet rows = rowsOf(rowSets, parameter);
    float[] perRow = new float[rows.size()];
    for (int k = 0; k < perRow.length; k++) {
      perRow[k] = l2 * rows.count(k) / size;
    }
    return HostArrays.floats(step.manager(), perRow, perRow.length, 1).mul(value);
  }

  /** Whether a part of a table is in the host's memory only, out of reach of closed forms. */
  boolean cached() {
    return tables.values().stream().anyMatch(table -> table.cache() != null);
  }

  /** What became of the rows that were asked for, of each table that is on the device in part. */
  List<RowCacheReport> cacheReports() {
    List<RowCacheReport> reports = new ArrayList<>();
    tables.forEach(
        (name, table) -> {
          RowCache cache = table.cache();
          if (cache != null) {
            reports.add(
                new RowCacheReport(
                    name,
                    table.value().getShape().get(0),
                    cache.slots().getShape().get(0),
                    cache.bytes(),
                    cache.reads(),
                    cache.hits()));
          }
        });
    return reports;
  }

  /** Makes the parameters' own arrays those of now, for whoever reads them between two steps. */
  void writeBack() {
    tables.values().forEach(TrainedTable::writeBack);
  }

  /** Training has ended: all parameters are whole, and where they were before. */
  @Override
  public void close() {
    tables.values().forEach(TrainedTable::close);
  }

  /** Keeps a copy of all values as the best so far. */
  void keepBest() {
    writeBack();
    for (NamedParameter parameter : parameters) {
      NDArray value = valueOf(parameter);
      NDArray kept = best.get(parameter.name());
      if (kept == null) {
        NDArray copy = value.duplicate();
        copy.attach(keeper(parameter));
        best.put(parameter.name(), copy);
      } else {
        value.copyTo(kept);
      }
    }
  }

  /** Puts the best values back, if some were kept. */
  void restoreBest() {
    writeBack();
    for (NamedParameter parameter : parameters) {
      NDArray kept = best.get(parameter.name());
      if (kept != null) {
        kept.copyTo(valueOf(parameter));
      }
    }
    tables.values().forEach(TrainedTable::forget);
  }

  /** Everything that must be saved to go on later as if nothing had happened. */
  List<TensorSource> sources() {
    writeBack();
    List<TensorSource> sources = new ArrayList<>();
    for (NamedParameter parameter : parameters) {
      sources.add(TensorFiles.source("value." + parameter.name(), valueOf(parameter)));
      stateOf(parameter)
          .forEach((key, array) -> sources.add(TensorFiles.source(key(parameter, key), array)));
    }
    best.forEach((name, array) -> sources.add(TensorFiles.source("best." + name, array)));
    return sources;
  }

  /** The step counts of the optimizers, which are part of their state. */
  Map<String, String> counters() {
    Map<String, String> counters = new LinkedHashMap<>();
    for (NamedParameter parameter : parameters) {
      long steps =
          parameter.table() ? rowOptimizer(parameter).steps() : denseOptimizer(parameter).steps();
      counters.put("steps." + parameter.name(), Long.toString(steps));
    }
    return counters;
  }

  /** Restores what {@link #sources} and {@link #counters} gave. */
  void restore(StoredTensors stored, Map<String, String> counters) {
    for (NamedParameter parameter : parameters) {
      TensorFiles.loadInto(valueOf(parameter), stored.tensor("value." + parameter.name()));
      stateOf(parameter)
          .forEach((key, array) -> TensorFiles.loadInto(array, stored.tensor(key(parameter, key))));
      long steps = Long.parseLong(counters.getOrDefault("steps." + parameter.name(), "0"));
      if (parameter.table()) {
        rowOptimizer(parameter).restoreSteps(steps);
      } else {
        denseOptimizer(parameter).restoreSteps(steps);
      }
      if (stored.contains("best." + parameter.name())) {
        best.put(
            parameter.name(),
            TensorFiles.load(keeper(parameter), stored.tensor("best." + parameter.name())));
      }
    }
    tables.values().forEach(TrainedTable::forget);
  }

  /** The step size of a group: at first that of the options. */
  float rateOf(NamedParameter.Group group) {
    return required(rates, group);
  }

  /** Sets the step size of a group from now on; what checkpoints hold of it is its setter's. */
  void setRate(NamedParameter.Group group, float rate) {
    rates.put(group, rate);
  }

  private Map<String, NDArray> stateOf(NamedParameter parameter) {
    return parameter.table() ? table(parameter).state() : denseOptimizer(parameter).state();
  }

  private RowOptimizer rowOptimizer(NamedParameter parameter) {
    return table(parameter).optimizer();
  }

  private NDManager keeper(NamedParameter parameter) {
    return parameter.table() ? table(parameter).keeper(manager) : manager;
  }

  private TrainedTable table(NamedParameter parameter) {
    return required(tables, parameter.name());
  }

  private DenseAdam denseOptimizer(NamedParameter parameter) {
    return required(denseOptimizers, parameter.name());
  }

  private static RowSet rowsOf(Map<String, RowSet> rows, NamedParameter parameter) {
    return required(rows, parameter.name());
  }

  private static <K, T> T required(Map<K, T> map, K name) {
    T value = map.get(name);
    if (value == null) {
      throw new IllegalStateException("nothing known of parameter " + name);
    }
    return value;
  }

  private static String key(NamedParameter parameter, String key) {
    return "state." + parameter.name() + "." + key;
  }

  private static NDArray valueOf(NamedParameter parameter) {
    return parameter.parameter().getArray();
  }

  /** The values of one step and the leaves behind them, by parameter name. */
  record Leaves(ParameterValues values, Map<String, NDArray> byName) {}
}
