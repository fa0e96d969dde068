package io.sextant.observe;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The loading of a new model while an old one serves, for Java Flight Recorder. */
@Name("sextant.Swap")
@Label("Model swap")
@Description("From the reading of a bundle to its first request, or to its refusal")
@Category("Sextant")
@StackTrace(false)
public final class SwapEvent extends Event {

  @Label("Version")
  private String version = "";

  @Label("Accepted")
  private boolean accepted;

  /** Ends the event and records it if it is wanted. */
  public void finish(String newVersion, boolean taken) {
    end();
    if (shouldCommit()) {
      version = newVersion;
      accepted = taken;
      commit();
    }
  }

  /** The version that serves from now on; empty if it was refused. */
  public String version() {
    return version;
  }

  /** Whether it was accepted. */
  public boolean accepted() {
    return accepted;
  }
}
