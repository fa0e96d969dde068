package io.sextant.serve;

import io.sextant.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Which users take part in an experiment: a hash of experiment and user decides, so that a user
 * stays on one side for as long as it lasts, on every machine, and another experiment divides the
 * users anew. A larger share keeps those who were in already.
 *
 * <p>Thread safety: immutable.
 *
 * @param experiment its name
 * @param share of the users who take part, 0..1
 */
public record StickyBuckets(String experiment, double share) {

  public StickyBuckets {
    if (experiment.isEmpty()) {
      throw new InvalidInputException("an experiment needs a name");
    }
    if (!(share >= 0 && share <= 1)) {
      throw new InvalidInputException("share must lie in 0..1 but was " + share);
    }
  }

  /** Whether a user takes part. */
  public boolean contain(String userId) {
    return place(userId) < share;
  }

  /** Where a user stands, uniform in [0, 1). */
  double place(String userId) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(experiment.getBytes(StandardCharsets.UTF_8));
      // No text holds this byte: ("ab", "c") and ("a", "bc") differ.
      digest.update((byte) 0xFF);
      byte[] hash = digest.digest(userId.getBytes(StandardCharsets.UTF_8));
      long bits = 0;
      for (int i = 0; i < Long.BYTES; i++) {
        bits = bits << 8 | (hash[i] & 0xFF);
      }
      return (bits >>> 11) * 0x1.0p-53;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
