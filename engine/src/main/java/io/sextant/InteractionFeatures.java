package io.sextant;

/**
 * The circumstances of one interaction. They tell meant interactions from accidental ones and feed
 * the policy network.
 *
 * @param dwellSeconds how long the user stayed, in seconds; NaN if unknown
 * @param position rank of the item in the list that was shown, from 0; -1 if unknown
 * @param device the user's device, as the source names it; empty if unknown
 * @param source where the user came from (search, home, mail ...); empty if unknown
 */
public record InteractionFeatures(float dwellSeconds, int position, String device, String source) {

  /** Nothing is known. */
  public static final InteractionFeatures UNKNOWN = new InteractionFeatures(Float.NaN, -1, "", "");

  public InteractionFeatures {
    if (dwellSeconds < 0) {
      throw new InvalidInputException("dwellSeconds must be >= 0 or NaN but was " + dwellSeconds);
    }
    if (position < -1) {
      throw new InvalidInputException(
          "position must be >= 0, or -1 if unknown, but was " + position);
    }
  }
}
