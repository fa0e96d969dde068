package io.sextant.observe;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A batch of requests that was computed, for Java Flight Recorder. */
@Name("sextant.Batch")
@Label("Batch")
@Description("Requests that were computed together")
@Category("Sextant")
@StackTrace(false)
public final class BatchEvent extends Event {

  @Label("Requests")
  private int size;

  @Label("Requests left in the queue")
  private int queueDepth;

  /** Ends the event and records it if it is wanted. */
  public void finish(int requests, int waiting) {
    end();
    if (shouldCommit()) {
      size = requests;
      queueDepth = waiting;
      commit();
    }
  }

  /** How many requests the batch had. */
  public int size() {
    return size;
  }

  /** How many requests were waiting when it was done. */
  public int queueDepth() {
    return queueDepth;
  }
}
