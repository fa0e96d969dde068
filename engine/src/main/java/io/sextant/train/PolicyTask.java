package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Activation;
import ai.djl.training.ParameterStore;
import io.sextant.InvalidInputException;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.PolicyNetwork;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.List;

/**
 * Learning a policy network from examples by binary cross-entropy. The loss of an example with
 * logits z and labels y is the mean over its S outputs of
 *
 * <pre>-y ln sigmoid(z) - (1 - y) ln(1 - sigmoid(z)) = softplus(z) - y z</pre>
 *
 * <p>A step costs O(B (F_u + F_i + S) H). Examples stay in host memory; a batch copies its rows.
 *
 * <p>Thread safety: used by one thread at a time.
 */
public final class PolicyTask implements DivisibleTask<PolicyBatch> {

  private final PolicyNetwork network;
  private final PolicyExamples examples;
  private final List<NamedParameter> parameters;

  /**
   * A task.
   *
   * @throws InvalidInputException if the examples do not have the network's widths
   */
  public PolicyTask(PolicyNetwork network, PolicyExamples examples) {
    requireSameWidths(network, examples);
    this.network = network;
    this.examples = examples;
    this.parameters = network.namedParameters();
  }

  static void requireSameWidths(PolicyNetwork network, PolicyExamples examples) {
    if (network.userDim() != examples.userDim()
        || network.itemDim() != examples.itemDim()
        || network.numOutputs() != examples.outputs()) {
      throw new InvalidInputException(
          "the policy network has widths userDim %d, itemDim %d, outputs %d but its examples %d, %d, %d"
              .formatted(
                  network.userDim(),
                  network.itemDim(),
                  network.numOutputs(),
                  examples.userDim(),
                  examples.itemDim(),
                  examples.outputs()));
    }
  }

  @Override
  public int numExamples() {
    return examples.size();
  }

  @Override
  public List<NamedParameter> parameters() {
    return parameters;
  }

  @Override
  public PolicyBatch prepare(Scope scope, int[] rows, long step) {
    NDManager manager = scope.manager();
    return new PolicyBatch(
        rows.length,
        pick(examples.weights(), 1, rows),
        tensor(manager, examples.users(), examples.userDim(), rows),
        tensor(manager, examples.items(), examples.itemDim(), rows),
        tensor(manager, examples.labels(), examples.outputs(), rows));
  }

  @Override
  public NDArray loss(ParameterStore values, PolicyBatch batch) {
    NDArray logits = network.logits(values, batch.users(), batch.items()); // (B, S)
    return Activation.softPlus(logits).sub(logits.mul(batch.labels())).mean(new int[] {1});
  }

  @Override
  public PolicyBatch prepare(Scope scope, int[] rows, int from, int to, long step) {
    return prepare(scope, Arrays.copyOfRange(rows, from, to), step);
  }

  private static NDArray tensor(NDManager manager, float[] values, int width, int[] rows) {
    return HostArrays.floats(manager, pick(values, width, rows), rows.length, width);
  }

  private static float[] pick(float[] values, int width, int[] rows) {
    float[] picked = new float[rows.length * width];
    for (int r = 0; r < rows.length; r++) {
      System.arraycopy(values, rows[r] * width, picked, r * width, width);
    }
    return picked;
  }
}
