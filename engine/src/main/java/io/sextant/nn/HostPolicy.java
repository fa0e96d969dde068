package io.sextant.nn;

import io.sextant.tensor.HostArrays;
import io.sextant.tensor.HostTeam;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Outputs and gradients of a {@link PolicyNetwork} with one output in plain Java, over the
 * network's present parameters: for many rows of few features, where calling libtorch costs more
 * than the mathematics. It agrees with the network within rounding, and the number of threads
 * changes no bit. O(n H (F_u + F_i)) time.
 *
 * <p>Thread safety: belongs to one thread, which shares its loops with the {@link HostTeam}; it
 * does not see what becomes of the parameters after it was made.
 */
public final class HostPolicy {

  private static final int ROWS_PER_TASK = 512;
  private static final int BLOCK = 128;

  private final Layer user;
  private final Layer item;
  private final float[] output;
  private final float bias;

  private HostPolicy(Layer user, Layer item, float[] output, float bias) {
    this.user = user;
    this.item = item;
    this.output = output;
    this.bias = bias;
  }

  /** The network as it stands, which must have one output. */
  public static HostPolicy of(PolicyNetwork network) {
    if (network.numOutputs() != 1) {
      throw new IllegalArgumentException(
          "one output is needed but there are " + network.numOutputs());
    }
    Map<String, float[]> values = new LinkedHashMap<>();
    for (NamedParameter parameter : network.namedParameters()) {
      values.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
    }
    return new HostPolicy(
        Layer.of(values, "policy.user", network.userDim()),
        Layer.of(values, "policy.item", network.itemDim()),
        value(values, "policy.output.weight"),
        value(values, "policy.output.bias")[0]);
  }

  private static float[] value(Map<String, float[]> values, String name) {
    float[] value = values.get(name);
    if (value == null) {
      throw new IllegalStateException("a policy network has no " + name);
    }
    return value;
  }

  /**
   * The outputs (n) in (0, 1).
   *
   * @param users (n, F_u)
   * @param items (n, F_i)
   */
  public float[] outputs(float[] users, float[] items) {
    int n = users.length / user.inputs;
    float[] outputs = new float[n];
    HostTeam.shared()
        .run(
            HostTeam.tasks(n, BLOCK),
            () -> {
              float[] columns = new float[BLOCK * Math.max(user.inputs, item.inputs)];
              float[] unit = new float[BLOCK];
              float[] logits = new float[BLOCK];
              return task -> {
                int from = task * BLOCK;
                int size = Math.min(n - from, BLOCK);
                Arrays.fill(logits, bias);
                user.addLogits(users, from, size, output, 0, columns, unit, logits);
                item.addLogits(items, from, size, output, user.width, columns, unit, logits);
                for (int row = 0; row < size; row++) {
                  outputs[from + row] = (float) (1 / (1 + Math.exp(-logits[row])));
                }
              };
            });
    return outputs;
  }

  private void hidden(float[] users, float[] items, int row, float[] hidden) {
    user.apply(users, row, hidden, 0);
    item.apply(items, row, hidden, user.width);
    for (int h = 0; h < hidden.length; h++) {
      hidden[h] = Math.max(0, hidden[h]);
    }
  }

  /**
   * The gradient of {@code sum_e f_e y_e}, by parameter name in the shapes of the parameters.
   *
   * @param outputs (n) y, what {@link #outputs} gave for these inputs
   * @param factors (n) f
   */
  public Map<String, float[]> gradient(
      float[] users, float[] items, float[] outputs, float[] factors) {
    int n = outputs.length;
    int tasks = HostTeam.tasks(n, ROWS_PER_TASK);
    Sums[] sums = new Sums[tasks];
    HostTeam.shared()
        .run(
            tasks,
            () -> {
              float[] hidden = new float[output.length];
              float[] slopes = new float[output.length];
              return task -> {
                Sums sum = new Sums(user, item, output.length);
                int end = Math.min(n, (task + 1) * ROWS_PER_TASK);
                for (int row = task * ROWS_PER_TASK; row < end; row++) {
                  float slope = factors[row] * outputs[row] * (1 - outputs[row]);
                  hidden(users, items, row, hidden);
                  sum.bias += slope;
                  for (int h = 0; h < hidden.length; h++) {
                    sum.output[h] += slope * hidden[h];
                    slopes[h] = hidden[h] > 0 ? slope * output[h] : 0;
                  }
                  user.addGradient(users, row, slopes, 0, sum.user);
                  item.addGradient(items, row, slopes, user.width, sum.item);
                }
                sums[task] = sum;
              };
            });
    Sums all = new Sums(user, item, output.length);
    for (Sums sum : sums) {
      all.add(sum);
    }
    Map<String, float[]> gradient = new LinkedHashMap<>();
    user.put(gradient, "policy.user", all.user);
    item.put(gradient, "policy.item", all.item);
    gradient.put("policy.output.weight", all.output);
    gradient.put("policy.output.bias", new float[] {all.bias});
    return gradient;
  }

  /** Gradients of a part of the rows; those of a layer have its bias behind the weights. */
  private static final class Sums {
    private final float[] user;
    private final float[] item;
    private final float[] output;
    private float bias;

    Sums(Layer user, Layer item, int hidden) {
      this.user = new float[(user.inputs + 1) * user.width];
      this.item = new float[(item.inputs + 1) * item.width];
      this.output = new float[hidden];
    }

    void add(Sums other) {
      add(user, other.user);
      add(item, other.item);
      add(output, other.output);
      bias += other.bias;
    }

    private static void add(float[] to, float[] from) {
      for (int i = 0; i < to.length; i++) {
        to[i] += from[i];
      }
    }
  }

  /**
   * One of the two first layers.
   *
   * @param weight (inputs, width): transposed, so that the loops run along the units
   * @param bias (width)
   */
  @SuppressWarnings("ArrayRecordComponent") // Used, not compared.
  private record Layer(int inputs, int width, float[] weight, float[] bias) {

    static Layer of(Map<String, float[]> values, String name, int inputs) {
      float[] weight = value(values, name + ".weight");
      float[] bias = value(values, name + ".bias");
      int width = bias.length;
      float[] transposed = new float[weight.length];
      for (int unit = 0; unit < width; unit++) {
        for (int f = 0; f < inputs; f++) {
          transposed[f * width + unit] = weight[unit * inputs + f];
        }
      }
      return new Layer(inputs, width, transposed, bias);
    }

    /**
     * Adds what the layer gives to the logits of a block of rows. Unit by unit along the rows, so
     * that the loops are long enough for vector instructions.
     */
    void addLogits(
        float[] rows,
        int from,
        int size,
        float[] output,
        int at,
        float[] columns,
        float[] unit,
        float[] logits) {
      for (int f = 0; f < inputs; f++) {
        for (int row = 0; row < size; row++) {
          columns[f * BLOCK + row] = rows[(from + row) * inputs + f];
        }
      }
      for (int u = 0; u < width; u++) {
        Arrays.fill(unit, bias[u]);
        for (int f = 0; f < inputs; f++) {
          float w = weight[f * width + u];
          int column = f * BLOCK;
          for (int row = 0; row < BLOCK; row++) {
            unit[row] += w * columns[column + row];
          }
        }
        float o = output[at + u];
        for (int row = 0; row < BLOCK; row++) {
          logits[row] += o * Math.max(0, unit[row]);
        }
      }
    }

    /** The layer of one row before its ReLU. */
    void apply(float[] rows, int row, float[] into, int at) {
      System.arraycopy(bias, 0, into, at, width);
      for (int f = 0; f < inputs; f++) {
        float value = rows[row * inputs + f];
        for (int unit = 0; unit < width; unit++) {
          into[at + unit] += value * weight[f * width + unit];
        }
      }
    }

    void addGradient(float[] rows, int row, float[] slopes, int at, float[] into) {
      for (int f = 0; f < inputs; f++) {
        float value = rows[row * inputs + f];
        for (int unit = 0; unit < width; unit++) {
          into[f * width + unit] += value * slopes[at + unit];
        }
      }
      for (int unit = 0; unit < width; unit++) {
        into[inputs * width + unit] += slopes[at + unit];
      }
    }

    void put(Map<String, float[]> gradient, String name, float[] sums) {
      float[] byUnit = new float[inputs * width];
      float[] byBias = new float[width];
      for (int unit = 0; unit < width; unit++) {
        byBias[unit] = sums[inputs * width + unit];
        for (int f = 0; f < inputs; f++) {
          byUnit[unit * inputs + f] = sums[f * width + unit];
        }
      }
      gradient.put(name + ".weight", byUnit);
      gradient.put(name + ".bias", byBias);
    }
  }
}
