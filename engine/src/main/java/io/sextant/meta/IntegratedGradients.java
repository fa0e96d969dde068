package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Attributes the outputs y of a differentiable function to its inputs x, with zero inputs as the
 * reference:
 *
 * <pre>
 *   effect_f = x_f integral_0^1 dy/dx_f (a x) da,   sum_f effect_f = y(x) - y(0)
 * </pre>
 *
 * <p>(Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", ICML 2017). The
 * integral is a mean over midpoints; their number grows until an output's effects add up to its
 * difference, or {@link #MOST_STEPS} is reached. Many steps, and outputs while they take few of
 * them, share one forward and one backward pass.
 *
 * <p>Thread safety: stateless; runs on a tensor thread.
 */
final class IntegratedGradients {

  private static final int FIRST_STEPS = 64;
  private static final int MOST_STEPS = 4096;

  /** Of the difference, what may be missing. */
  private static final double RELATIVE_GAP = 2e-3;

  /** Of all effects, whatever their sign: less cannot be asked where large ones cancel out. */
  private static final double CANCELLED_GAP = 2e-5;

  /** Of float32 outputs, what rounding alone makes of the difference. */
  private static final double ABSOLUTE_GAP = 1e-6;

  private IntegratedGradients() {}

  /** The function. */
  @FunctionalInterface
  interface Outputs {
    /** Outputs (R, O) of inputs (R, F), row by row, in the memory of the step. */
    NDArray of(Scope step, NDArray inputs);
  }

  /**
   * The result.
   *
   * @param values (O) at the input
   * @param references (O) at zero
   * @param effects (O)(F)
   */
  record Result(double[] values, double[] references, double[][] effects) {}

  /**
   * Attributes.
   *
   * @param inputs (F)
   */
  static Result of(Scope scope, Outputs function, float[] inputs) {
    float[] ends = ends(scope, function, inputs);
    int outputs = ends.length / 2;
    double[] values = new double[outputs];
    double[] references = new double[outputs];
    for (int o = 0; o < outputs; o++) {
      values[o] = ends[o];
      references[o] = ends[outputs + o];
    }
    double[][] effects = new double[outputs][];
    int[] open = IntStream.range(0, outputs).toArray();
    for (int steps = FIRST_STEPS; steps <= MOST_STEPS && open.length > 0; steps *= 4) {
      int atOnce = Math.max(1, MOST_STEPS / steps);
      for (int first = 0; first < open.length; first += atOnce) {
        int[] chosen = Arrays.copyOfRange(open, first, Math.min(open.length, first + atOnce));
        double[][] some = effects(scope, function, inputs, outputs, chosen, steps);
        for (int i = 0; i < chosen.length; i++) {
          effects[chosen[i]] = some[i];
        }
      }
      open =
          Arrays.stream(open)
              .filter(o -> !isComplete(values[o] - references[o], effects[o]))
              .toArray();
    }
    return new Result(values, references, effects);
  }

  /** The outputs at the input and, behind them, at zero. */
  private static float[] ends(Scope scope, Outputs function, float[] inputs) {
    try (Scope step = scope.child()) {
      return HostArrays.toFloats(
          function.of(
              step,
              HostArrays.floats(
                  step.manager(), Arrays.copyOf(inputs, 2 * inputs.length), 2, inputs.length)));
    }
  }

  /** The effects on the chosen outputs. */
  private static double[][] effects(
      Scope scope, Outputs function, float[] inputs, int outputs, int[] chosen, int steps) {
    int width = inputs.length;
    int rows = chosen.length * steps;
    float[] path = new float[rows * width];
    // Each output has its own rows, so that the sum of what the mask leaves has all gradients.
    float[] mask = new float[rows * outputs];
    for (int row = 0; row < rows; row++) {
      float share = (row % steps + 0.5f) / steps;
      for (int f = 0; f < width; f++) {
        path[row * width + f] = share * inputs[f];
      }
      mask[row * outputs + chosen[row / steps]] = 1;
    }
    float[] gradients;
    try (Scope step = scope.child();
        Grad grad = Grad.record()) {
      NDArray leaf =
          Grad.leaf(HostArrays.floats(step.manager(), path, rows, width), step.manager());
      NDArray masked =
          function.of(step, leaf).mul(HostArrays.floats(step.manager(), mask, rows, outputs));
      grad.backward(masked.sum());
      gradients = HostArrays.toFloats(step.adopt(leaf.getGradient()));
    }
    double[][] effects = new double[chosen.length][width];
    for (int row = 0; row < rows; row++) {
      for (int f = 0; f < width; f++) {
        effects[row / steps][f] += (double) gradients[row * width + f] * inputs[f] / steps;
      }
    }
    return effects;
  }

  private static boolean isComplete(double difference, double[] effects) {
    double missing = Math.abs(Arrays.stream(effects).sum() - difference);
    double size = Arrays.stream(effects).map(Math::abs).sum();
    return missing <= RELATIVE_GAP * Math.abs(difference) + CANCELLED_GAP * size + ABSOLUTE_GAP;
  }
}
