package io.sextant;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Asks for items that are like one.
 *
 * <p>Thread safety: immutable.
 *
 * @param itemId the item, which is not in the list
 * @param k how long the list is to be
 * @param eligibility which items it may hold; nothing counts as seen
 * @param timeout how long the answer is of use; null for the service's default
 */
public record SimilarItemsRequest(
    String itemId, int k, Eligibility eligibility, @Nullable Duration timeout) {

  public SimilarItemsRequest {
    if (k < 1) {
      throw new InvalidInputException("k must be >= 1 but was " + k);
    }
    if (timeout != null && (timeout.isNegative() || timeout.isZero())) {
      throw new InvalidInputException("timeout must be > 0 but was " + timeout);
    }
  }

  /** So many items of all. */
  public static SimilarItemsRequest of(String itemId, int k) {
    return new SimilarItemsRequest(itemId, k, Eligibility.UNSEEN, null);
  }
}
