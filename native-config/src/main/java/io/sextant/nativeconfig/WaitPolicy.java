package io.sextant.nativeconfig;

import java.util.Locale;

/** What an OpenMP thread does between two parallel regions. */
public enum WaitPolicy {
  /** It sleeps. On a busy machine the same training step runs many times faster so. */
  PASSIVE,
  /** It spins, which is right only where every core belongs to this process alone. */
  ACTIVE;

  /** The value of {@code OMP_WAIT_POLICY}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
