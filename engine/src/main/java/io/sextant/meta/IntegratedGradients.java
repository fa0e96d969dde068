package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.Arrays;

/**
 * Attributes the outputs y of a differentiable function to its inputs x, with zero inputs as the
 * reference:
 *
 * <pre>
 *   effect_f = x_f integral_0^1 dy/dx_f (a x) da,   sum_f effect_f = y(x) - y(0)
 * </pre>
 *
 * <p>(Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", ICML 2017). The
 * integral is a mean over midpoints; their number grows until the effects add up to the difference,
 * or {@link #MOST_STEPS} is reached. All outputs and steps are one forward and one backward pass.
 *
 * <p>Thread safety: stateless; runs on a tensor thread.
 */
final class IntegratedGradients {

  private static final int FIRST_STEPS = 64;
  private static final int MOST_STEPS = 1024;

  /** Of the difference, what may be missing. */
  private static final double RELATIVE_GAP = 2e-3;

  /** Of float32 outputs, what rounding alone makes of the difference. */
  private static final double ABSOLUTE_GAP = 1e-5;

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
    for (int steps = FIRST_STEPS; ; steps *= 4) {
      Result result =
          new Result(values, references, effects(scope, function, inputs, outputs, steps));
      if (steps >= MOST_STEPS || isComplete(result)) {
        return result;
      }
    }
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

  private static double[][] effects(
      Scope scope, Outputs function, float[] inputs, int outputs, int steps) {
    int width = inputs.length;
    int rows = outputs * steps;
    float[] path = new float[rows * width];
    // Each output has its own rows, so that the sum of what the mask leaves has all gradients.
    float[] mask = new float[rows * outputs];
    for (int row = 0; row < rows; row++) {
      float share = (row % steps + 0.5f) / steps;
      for (int f = 0; f < width; f++) {
        path[row * width + f] = share * inputs[f];
      }
      mask[row * outputs + row / steps] = 1;
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
    double[][] effects = new double[outputs][width];
    for (int row = 0; row < rows; row++) {
      for (int f = 0; f < width; f++) {
        effects[row / steps][f] += (double) gradients[row * width + f] * inputs[f] / steps;
      }
    }
    return effects;
  }

  private static boolean isComplete(Result result) {
    for (int o = 0; o < result.values().length; o++) {
      double difference = result.values()[o] - result.references()[o];
      double sum = 0;
      for (double effect : result.effects()[o]) {
        sum += effect;
      }
      if (Math.abs(sum - difference) > RELATIVE_GAP * Math.abs(difference) + ABSOLUTE_GAP) {
        return false;
      }
    }
    return true;
  }
}
