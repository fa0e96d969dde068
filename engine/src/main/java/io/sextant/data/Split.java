package io.sextant.data;

import io.sextant.InvalidInputException;

/**
 * One data set in three parts that share their users and items.
 *
 * <p>A split that was given by files is made by this constructor; {@link Splitter} makes the
 * others. What leaks from the later parts into the first is said there. Thread safety: immutable.
 *
 * @param train what models learn from
 * @param validation what stops and tunes them; may be empty
 * @param test what is reported; may be empty
 */
public record Split(Interactions train, Interactions validation, Interactions test) {

  public Split {
    requireShared("validation", train, validation);
    requireShared("test", train, test);
  }

  /** Train and validation together: what a model may see when the test part is all that is left. */
  public Interactions trainAndValidation() {
    return validation.size() == 0 ? train : train.concat(validation);
  }

  private static void requireShared(String part, Interactions train, Interactions other) {
    if (!train.users().equals(other.users()) || !train.items().equals(other.items())) {
      throw new InvalidInputException(
          ("the %s part must have the users and items of the train part"
                  + " (%d users, %d items) but has others (%d users, %d items):"
                  + " read all parts with one cleaning run")
              .formatted(
                  part, train.numUsers(), train.numItems(), other.numUsers(), other.numItems()));
    }
  }
}
