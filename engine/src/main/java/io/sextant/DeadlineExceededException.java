package io.sextant;

/** The time of a request ran out before there was an answer. */
public final class DeadlineExceededException extends SextantException {

  private static final long serialVersionUID = 1L;

  public DeadlineExceededException(String message) {
    super(message);
  }
}
