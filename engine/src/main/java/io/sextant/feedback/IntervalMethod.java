package io.sextant.feedback;

/** How an estimate's 95 % interval is found. */
public enum IntervalMethod {
  /** Student's t over round values: the usual one; too short where few rounds carry the sum. */
  STUDENT_T,
  /**
   * Empirical Bernstein (Maurer and Pontil, COLT 2009): holds for every n, if the range of rewards
   * and the largest possible weight were declared beforehand; wide. Not for self-normalised
   * estimators.
   */
  EMPIRICAL_BERNSTEIN,
  /** Percentile bootstrap over round values (linearised ones if self-normalised). */
  BOOTSTRAP
}
