package io.sextant.strategy;

import io.sextant.InvalidInputException;

/** What the options of several strategies must satisfy; messages give the value. */
final class OptionChecks {

  private static final double MIN_EXPONENT = -1;
  private static final double MAX_EXPONENT = 2;

  private OptionChecks() {}

  static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** A name can be printed and found again. */
  static void name(String name) {
    check(!name.isBlank(), "the name of a strategy must not be blank");
  }

  /** Wider exponents would leave the range of a float for popular items. */
  static void exponent(String option, double value) {
    check(
        value >= MIN_EXPONENT && value <= MAX_EXPONENT,
        "%s must be in [%s, %s] but was %s".formatted(option, MIN_EXPONENT, MAX_EXPONENT, value));
  }

  static void positive(String option, int value) {
    check(value > 0, option + " must be > 0 but was " + value);
  }
}
