package io.sextant.observe;

/** How a request ended. */
public enum RequestOutcome {
  /** With a list. */
  SERVED,
  /** The request itself cannot be answered. */
  INVALID,
  /** Refused at once, because too many were waiting. */
  OVERLOADED,
  /** Its time ran out. */
  EXPIRED,
  /** Whoever asked does not want to know any more. */
  CANCELLED,
  /** The model failed at it. */
  FAILED,
  /** The recommender was closed. */
  CLOSED
}
