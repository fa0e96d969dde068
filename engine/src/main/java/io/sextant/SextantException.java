package io.sextant;

/**
 * The root of every exception that Sextant throws on purpose. Its message says what is wrong,
 * where, and how to mend it.
 */
public class SextantException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public SextantException(String message) {
    super(message);
  }

  public SextantException(String message, Throwable cause) {
    super(message, cause);
  }
}
