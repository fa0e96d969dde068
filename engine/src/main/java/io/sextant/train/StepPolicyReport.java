package io.sextant.train;

import io.sextant.EventType;
import java.util.List;
import java.util.Map;

/**
 * What a {@link StepPolicy} has done in one run.
 *
 * <p>Thread safety: immutable.
 *
 * @param outcome how it ended
 * @param policySteps steps of the policy
 * @param skippedSteps steps of the policy that were left out because a loss was not finite
 * @param start the step sizes that training was given
 * @param rates geometric means, over the run, of the step sizes that were used
 * @param objectives means over the run of the weights of event types; empty if none were set
 * @param epochs how they went
 */
public record StepPolicyReport(
    Outcome outcome,
    long policySteps,
    long skippedSteps,
    Rates start,
    Rates rates,
    Map<EventType, Double> objectives,
    List<Epoch> epochs) {

  /** How the learning ended. */
  public enum Outcome {
    /** Step sizes and weights are those of the policy. */
    LEARNED,
    /** The policy has not learned: the run was too short, or no trusted interaction met it. */
    NOT_BEGUN,
    /** Losses of the meta set were not finite too often: step sizes were put back. */
    DIVERGED,
    /** The guard's loss ended no lower than it was before training. */
    HARMFUL
  }

  /**
   * Step sizes.
   *
   * @param dense alpha
   * @param user alpha_u
   * @param item alpha_i
   */
  public record Rates(double dense, double user, double item) {}

  /**
   * An epoch.
   *
   * @param rates geometric means
   * @param objectives mean weight of each event type; empty if none are set
   * @param metaLoss mean loss of the trusted interactions; NaN if the policy did not learn
   * @param guardLoss the same of the guard, from which nothing is learned: it falling behind is
   *     over-fitting; NaN without a guard
   */
  public record Epoch(
      Rates rates, Map<EventType, Double> objectives, double metaLoss, double guardLoss) {

    public Epoch {
      objectives = Map.copyOf(objectives);
    }
  }

  public StepPolicyReport {
    objectives = Map.copyOf(objectives);
    epochs = List.copyOf(epochs);
  }
}
