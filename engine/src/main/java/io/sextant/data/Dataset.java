package io.sextant.data;

import io.sextant.InvalidInputException;

/**
 * Everything that is known for training: interactions, and features of users and items.
 *
 * <p>Thread safety: immutable.
 *
 * @param interactions who did what
 * @param users one row for each user of the interactions
 * @param items one row for each item of the interactions
 */
public record Dataset(Interactions interactions, FeatureTable users, FeatureTable items) {

  public Dataset {
    if (users.numRows() != interactions.numUsers()) {
      throw new InvalidInputException(
          "the user features have %d rows but there are %d users"
              .formatted(users.numRows(), interactions.numUsers()));
    }
    if (items.numRows() != interactions.numItems()) {
      throw new InvalidInputException(
          "the item features have %d rows but there are %d items"
              .formatted(items.numRows(), interactions.numItems()));
    }
  }

  /** Interactions without features. */
  public static Dataset of(Interactions interactions) {
    return new Dataset(
        interactions,
        FeatureTable.empty(interactions.numUsers()),
        FeatureTable.empty(interactions.numItems()));
  }

  /** The same features beside other interactions over the same users and items. */
  public Dataset withInteractions(Interactions other) {
    return new Dataset(other, users, items);
  }
}
