package io.sextant.strategy;

/**
 * What is known of a user at the moment of a recommendation.
 *
 * @param userIndex dense index of the user among those of training, or -1 if unseen
 * @param history items that the user has interacted with, oldest first; may be empty
 */
public record UserState(int userIndex, int[] history) {

  /** A user who was not there in training, known by history alone. */
  public static UserState unseen(int... history) {
    return new UserState(-1, history);
  }
}
