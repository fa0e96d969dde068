package io.sextant.observe;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/** A request that ended, for Java Flight Recorder; by default only those that took 20 ms. */
@Name("sextant.Request")
@Label("Recommendation request")
@Description("A request from its making to its answer or refusal")
@Category("Sextant")
@Threshold("20 ms")
@StackTrace(false)
public final class RequestEvent extends Event {

  @Label("Outcome")
  private String outcome = "";

  /** Ends the event and records it if it is wanted. */
  public void finish(RequestOutcome how) {
    end();
    if (shouldCommit()) {
      outcome = how.name();
      commit();
    }
  }

  /** How the request ended: the name of a {@link RequestOutcome}. */
  public String outcome() {
    return outcome;
  }
}
