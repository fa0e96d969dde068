package io.sextant.train;

import io.sextant.nn.NamedParameter;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the step sizes of the last few steps have done to the meta loss. The steps of a group since
 * the window began are {@code theta_T - theta_0 = -alpha sum_t D_t g_t}; with the gradients g_t
 * held fixed,
 *
 * <pre>
 *   dL_meta(theta_T) / d log alpha = &lt;v, theta_T - theta_0&gt;,   v = grad L_meta(theta_T)
 * </pre>
 *
 * <p>For a window of one step it is exact, and the {@code -alpha <g, v>} of the look-ahead with
 * everything that belongs to a step: regularisation, clipping, the optimizer's diagonal, momentum.
 * For more steps it is the hypergradient of Baydin et al. (ICLR 2018, arXiv:1703.04782) summed up,
 * judged by where the steps have led instead of one by one.
 *
 * <p>Thread safety: belongs to the training thread.
 */
final class RateWindow {

  private static final String JUDGES = "window.judges";
  private static final String BEFORE = "window.before.";

  private final MetaGradient meta;
  private final Map<String, NamedParameter.Group> groups = new LinkedHashMap<>();
  private int[] judges = new int[0];
  private Map<String, float[]> before = Map.of();

  RateWindow(MetaGradient meta, List<NamedParameter> parameters) {
    this.meta = meta;
    for (NamedParameter parameter : parameters) {
      groups.put(parameter.name(), parameter.group());
    }
  }

  /** Whether a window has begun. */
  boolean isOpen() {
    return judges.length > 0;
  }

  /**
   * Begins a window at the present parameters.
   *
   * @param judges the meta examples at whose rows to look, at least one
   * @param step whose draws they make
   */
  void begin(int[] judges, long step) {
    this.judges = judges;
    before = meta.values(judges, step);
  }

  /** Ends the window that has begun at the step. */
  Slopes end(long step) {
    MetaGradient.Result now = meta.compute(judges, step);
    Map<NamedParameter.Group, Slope> slopes = new EnumMap<>(NamedParameter.Group.class);
    now.parts()
        .forEach(
            (name, part) -> {
              float[] from = before.get(name);
              NamedParameter.Group group = groups.get(name);
              if (from != null && group != null) {
                slopes.merge(group, slope(from, part), Slope::plus);
              }
            });
    close();
    return new Slopes(now.loss(), slopes);
  }

  /** Forgets the window. */
  void close() {
    judges = new int[0];
    before = Map.of();
  }

  private static Slope slope(float[] before, MetaGradient.Part now) {
    double product = 0;
    double gradient = 0;
    double moved = 0;
    for (int d = 0; d < now.size(); d++) {
      double move = (double) now.values()[d] - before[d];
      double g = now.gradient()[d];
      product += g * move;
      gradient += g * g;
      moved += move * move;
    }
    return new Slope(product, gradient, moved);
  }

  /** What must be saved of an open window. */
  List<TensorSource> sources() {
    List<TensorSource> sources = new ArrayList<>();
    if (isOpen()) {
      sources.add(TensorSource.of(JUDGES, judges, judges.length));
      before.forEach(
          (name, values) -> sources.add(TensorSource.of(BEFORE + name, values, values.length)));
    }
    return sources;
  }

  /** Restores what {@link #sources} gave. */
  void restore(StoredTensors stored) {
    close();
    if (stored.contains(JUDGES)) {
      judges = stored.tensor(JUDGES).toInts();
      before = new LinkedHashMap<>();
      for (String name : groups.keySet()) {
        if (stored.contains(BEFORE + name)) {
          before.put(name, stored.tensor(BEFORE + name).toFloats());
        }
      }
    }
  }

  /**
   * What a window has shown.
   *
   * @param metaLoss at its end; not finite if it could not be computed
   * @param byGroup of the groups that the judges read
   */
  record Slopes(double metaLoss, Map<NamedParameter.Group, Slope> byGroup) {}

  /**
   * The slope of one group.
   *
   * @param product dL/d log alpha
   * @param gradient |v|^2
   * @param moved |theta_T - theta_0|^2
   */
  record Slope(double product, double gradient, double moved) {

    Slope plus(Slope other) {
      return new Slope(product + other.product, gradient + other.gradient, moved + other.moved);
    }

    /** The slope without its size, in [-1, 1]: 0 where nothing moved. */
    double cosine() {
      double norm = Math.sqrt(gradient * moved);
      return norm > 0 ? product / norm : 0;
    }
  }
}
