package io.sextant.feedback;

import java.util.List;

/**
 * A decision with what came of it so far.
 *
 * <p>Thread safety: immutable.
 *
 * @param decision what was shown
 * @param outcomes by time; those of items that were not shown are among them
 */
public record LoggedDecision(Decision decision, List<Outcome> outcomes) {

  public LoggedDecision {
    outcomes = List.copyOf(outcomes);
  }
}
