package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.sextant.InvalidInputException;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The policy network: an MLP with two inputs, what is known of a user and what is known of an item
 * or a strategy. Each input goes through a dense ReLU layer, both are concatenated, and a dense
 * layer with a sigmoid gives S outputs in (0, 1).
 *
 * <pre>
 *   user (B, F_u) -- dense, ReLU --+
 *                                  +-- concat (B, 2 H) -- dense (S) -- sigmoid -- (B, S)
 *   item (B, F_i) -- dense, ReLU --+
 * </pre>
 *
 * <p>One network, four uses: gates of strategies, weights of training examples, learning rates,
 * and, trained with binary cross-entropy, the prediction of a click.
 *
 * <p>Thread safety: forward passes may run on several threads at the same time as long as nobody
 * changes the parameters.
 */
public final class PolicyNetwork extends ReadyBlock {

  /** So many rows with 1,000 hidden units take 32 MB, the largest block that is kept for reuse. */
  private static final int TILE = 4096;

  private final Dense user;
  private final Dense item;
  private final Dense output;
  private final int userDim;
  private final int itemDim;
  private final int outputs;

  /**
   * A network with random first layers, in the memory of {@code scope}.
   *
   * @param userDim F_u
   * @param itemDim F_i
   * @param hidden H, the width of each of the two first layers
   * @param outputs S
   * @param zeroOutput whether the last layer starts at zero, so that every output starts at 1/2
   */
  @SuppressWarnings("this-escape")
  public PolicyNetwork(
      Scope scope,
      int userDim,
      int itemDim,
      int hidden,
      int outputs,
      boolean zeroOutput,
      long seed) {
    if (userDim <= 0 || itemDim <= 0 || hidden <= 0 || outputs <= 0) {
      throw new InvalidInputException(
          "widths of a policy network must be > 0 but were userDim %d, itemDim %d, hidden %d, outputs %d"
              .formatted(userDim, itemDim, hidden, outputs));
    }
    NDManager manager = scope.manager();
    this.userDim = userDim;
    this.itemDim = itemDim;
    this.outputs = outputs;
    user = Dense.random(manager, userDim, hidden, true, seed, "policy.user");
    item = Dense.random(manager, itemDim, hidden, true, seed, "policy.item");
    output =
        zeroOutput
            ? Dense.zero(manager, 2 * hidden, outputs, true)
            : Dense.random(manager, 2 * hidden, outputs, true, seed, "policy.output");
    addChildBlock("user", user.block());
    addChildBlock("item", item.block());
    addChildBlock("output", output.block());
  }

  /** The outputs before the sigmoid (B, S): what a loss wants for the sake of precision. */
  public NDArray logits(ParameterStore values, NDArray userInput, NDArray itemInput) {
    NDArray hidden =
        NDArrays.concat(
            new NDList(
                Activation.relu(user.apply(values, userInput)),
                Activation.relu(item.apply(values, itemInput))),
            1);
    return output.apply(values, hidden);
  }

  /**
   * The outputs before the sigmoid (B * N, S) for N items of each user, where the user's layer is
   * evaluated once for each user.
   *
   * @param userInput (B, F_u)
   * @param itemInput (B * N, F_i), the N items of the first user first
   */
  public NDArray logitsOfMany(ParameterStore values, NDArray userInput, NDArray itemInput) {
    long users = userInput.getShape().get(0);
    long items = itemInput.getShape().get(0) / Math.max(1, users);
    NDArray userHidden = Activation.relu(user.apply(values, userInput));
    long width = userHidden.getShape().get(1);
    NDArray repeated =
        userHidden
            .reshape(users, 1, width)
            .broadcast(new Shape(users, items, width))
            .reshape(users * items, width);
    NDArray hidden =
        NDArrays.concat(new NDList(repeated, Activation.relu(item.apply(values, itemInput))), 1);
    return output.apply(values, hidden);
  }

  /** The outputs (B, S) in (0, 1). */
  public NDArray outputs(ParameterStore values, NDArray userInput, NDArray itemInput) {
    return Activation.sigmoid(logits(values, userInput, itemInput));
  }

  /**
   * The outputs (n, S) for any number of rows in host memory, computed in tiles and not recorded.
   *
   * @param scope a lifetime on the network's device
   * @param users (n, F_u)
   * @param items (n, F_i)
   * @throws InvalidInputException if the two do not have the same number of whole rows
   */
  public float[] outputs(Scope scope, float[] users, float[] items) {
    int rows = users.length / userDim;
    if (users.length != rows * userDim || items.length != (long) rows * itemDim) {
      throw new InvalidInputException(
          "a policy network needs rows of %d and of %d numbers, as many of each, but had %d and %d numbers"
              .formatted(userDim, itemDim, users.length, items.length));
    }
    float[] all = new float[Math.multiplyExact(rows, outputs)];
    for (int from = 0; from < rows; from += TILE) {
      int to = Math.min(rows, from + TILE);
      try (Scope tile = scope.child();
          Grad off = Grad.pause()) {
        NDManager manager = tile.manager();
        float[] values =
            HostArrays.toFloats(
                outputs(
                    new ParameterValues(manager),
                    rowsOf(manager, users, userDim, from, to),
                    rowsOf(manager, items, itemDim, from, to)));
        System.arraycopy(values, 0, all, from * outputs, values.length);
      }
    }
    return all;
  }

  private static NDArray rowsOf(NDManager manager, float[] values, int width, int from, int to) {
    return HostArrays.floats(
        manager, Arrays.copyOfRange(values, from * width, to * width), to - from, width);
  }

  /** F_u, the width of what is known of a user. */
  public int userDim() {
    return userDim;
  }

  /** F_i, the width of what is known of an item. */
  public int itemDim() {
    return itemDim;
  }

  /** S, how many outputs there are. */
  public int numOutputs() {
    return outputs;
  }

  /** All parameters with the names under which they are saved. */
  public List<NamedParameter> namedParameters() {
    List<NamedParameter> named =
        new ArrayList<>(user.parameters("policy.user", NamedParameter.Group.DENSE));
    named.addAll(item.parameters("policy.item", NamedParameter.Group.DENSE));
    named.addAll(output.parameters("policy.output", NamedParameter.Group.DENSE));
    return named;
  }

  /** Inputs: user (B, F_u), item (B, F_i). Output: (B, S). */
  @Override
  protected NDList forwardInternal(
      ParameterStore values, NDList inputs, boolean training, PairList<String, Object> params) {
    return new NDList(outputs(values, inputs.get(0), inputs.get(1)));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {new Shape(inputs[0].get(0), outputs)};
  }
}
