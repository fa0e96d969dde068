package io.sextant;

import java.time.Duration;

/** A request was refused at once because too many wait already. Trying again later is of use. */
public final class OverloadedException extends SextantException {

  private static final long serialVersionUID = 1L;

  private final Duration retryAfter;

  public OverloadedException(String message, Duration retryAfter) {
    super(message);
    this.retryAfter = retryAfter;
  }

  /** After how long there should be room again. */
  public Duration retryAfter() {
    return retryAfter;
  }
}
