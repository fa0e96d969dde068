package io.sextant;

import java.time.Duration;
import java.time.Instant;

/**
 * How a recommender is.
 *
 * <p>Thread safety: immutable.
 *
 * @param status in one word
 * @param detail why, in a sentence
 * @param modelVersion which bundle it serves
 * @param servingSince since when
 * @param queueDepth how many requests wait
 * @param queueCapacity how many may wait
 * @param busyFor for how long the batch that is being computed has been; zero if there is none
 */
public record ServiceHealth(
    Status status,
    String detail,
    String modelVersion,
    Instant servingSince,
    int queueDepth,
    int queueCapacity,
    Duration busyFor) {

  /** What a load balancer has to know. */
  public enum Status {
    /** It answers. */
    UP,
    /** It answers some: it is overloaded, or its last batch failed. */
    DEGRADED,
    /** It answers none: it is closed, or stuck. */
    DOWN
  }
}
