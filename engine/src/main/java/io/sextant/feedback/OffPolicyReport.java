package io.sextant.feedback;

import java.util.List;
import java.util.NoSuchElementException;

/**
 * What a log says of a target policy.
 *
 * <p>Thread safety: immutable.
 *
 * @param estimates in the order in which they were asked for
 * @param overlap how far the log speaks of the target at all, by plain weights
 */
public record OffPolicyReport(List<Estimate> estimates, Overlap overlap) {

  public OffPolicyReport {
    estimates = List.copyOf(estimates);
  }

  /**
   * The estimate of a name.
   *
   * @throws NoSuchElementException if it was not asked for
   */
  public Estimate estimate(String name) {
    return estimates.stream().filter(e -> e.name().equals(name)).findFirst().orElseThrow();
  }
}
