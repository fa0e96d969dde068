package io.sextant;

/** The recommender was closed: it answers no more, and whoever waited is told so. */
public final class RecommenderClosedException extends SextantException {

  private static final long serialVersionUID = 1L;

  public RecommenderClosedException(String message) {
    super(message);
  }
}
