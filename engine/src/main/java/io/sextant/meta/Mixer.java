package io.sextant.meta;

/** The ways to mix a pool, from none to the policy: what a report compares. */
public enum Mixer {
  /** All strategies with the same weight. */
  UNIFORM("uniform"),
  /** One weight for each strategy, fitted, the same for all users. */
  GLOBAL("global"),
  /** Weights that depend on the user: stage 1 alone. */
  USER_GATE("userGate"),
  /** The user gate trained without user features: what more training alone gives. */
  CONTROL("control"),
  /** Both stages. */
  POLICY("policy");

  private final String key;

  Mixer(String key) {
    this.key = key;
  }

  /** The name in reports, as {@code userGate}. */
  public String key() {
    return key;
  }
}
