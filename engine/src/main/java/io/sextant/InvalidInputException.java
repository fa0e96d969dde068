package io.sextant;

/**
 * Something that the caller handed in (a file, a row, an option, a bundle) cannot be used. The
 * caller can mend it; trying again unchanged is of no use.
 */
public final class InvalidInputException extends SextantException {

  private static final long serialVersionUID = 1L;

  public InvalidInputException(String message) {
    super(message);
  }

  public InvalidInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
