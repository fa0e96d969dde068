package io.sextant.train;

import io.sextant.InvalidInputException;
import io.sextant.eval.PredictionMetrics;
import io.sextant.nn.PolicyNetwork;
import io.sextant.tensor.Scope;
import java.util.Map;

/**
 * Judges a policy network by its {@code logLoss} on examples that it does not learn from: the
 * weighted mean of the loss of {@link PolicyTask}, in nats.
 *
 * <p>Thread safety: belongs to the training thread.
 */
public final class PolicyValidation implements Validation {

  private final Scope model;
  private final PolicyNetwork network;
  private final PolicyExamples examples;

  /**
   * A validation.
   *
   * @param model the lifetime of the network's parameters
   * @throws InvalidInputException if the examples do not have the network's widths or count nothing
   */
  public PolicyValidation(Scope model, PolicyNetwork network, PolicyExamples examples) {
    PolicyTask.requireSameWidths(network, examples);
    double sum = 0;
    for (float weight : examples.weights()) {
      sum += weight;
    }
    if (sum == 0) {
      throw new InvalidInputException(
          "a policy cannot be validated on %d examples whose weights sum to 0"
              .formatted(examples.size()));
    }
    this.model = model;
    this.network = network;
    this.examples = examples;
  }

  @Override
  public Map<String, Double> evaluate() {
    float[] outputs = network.outputs(model, examples.users(), examples.items());
    int width = examples.outputs();
    double loss = 0;
    double sum = 0;
    for (int row = 0; row < examples.size(); row++) {
      double ofRow = 0;
      for (int i = row * width; i < (row + 1) * width; i++) {
        double p =
            Math.min(1 - PredictionMetrics.CLIP, Math.max(PredictionMetrics.CLIP, outputs[i]));
        float y = examples.labels()[i];
        ofRow -= y * Math.log(p) + (1 - y) * Math.log(1 - p);
      }
      float weight = examples.weights()[row];
      loss += weight * ofRow / width;
      sum += weight;
    }
    return Map.of(objective(), loss / sum);
  }

  @Override
  public String objective() {
    return "logLoss";
  }

  @Override
  public boolean higherIsBetter() {
    return false;
  }
}
