package io.sextant.train;

/** How step sizes change over training: a factor on all of them as a function of the step. */
public enum Schedule {
  /** Always 1. */
  CONSTANT {
    @Override
    public float factor(long step, long totalSteps) {
      return 1;
    }
  },
  /** From 1 to 0 in a straight line. */
  LINEAR {
    @Override
    public float factor(long step, long totalSteps) {
      return Math.max(0, 1 - (float) step / totalSteps);
    }
  },
  /**
   * From 1 to 0 along half a cosine (Loshchilov and Hutter, arXiv:1608.03983, without restarts).
   */
  COSINE {
    @Override
    public float factor(long step, long totalSteps) {
      return (float) (0.5 * (1 + Math.cos(Math.PI * Math.min(1, (double) step / totalSteps))));
    }
  },
  /** From 0 to 1 over the first twentieth, then as {@link #COSINE}. */
  WARMUP_COSINE {
    @Override
    public float factor(long step, long totalSteps) {
      long warmup = Math.max(1, totalSteps / 20);
      return step < warmup
          ? (step + 1f) / warmup
          : COSINE.factor(step - warmup, Math.max(1, totalSteps - warmup));
    }
  };

  /**
   * The factor of one step.
   *
   * @param step how many steps were made before
   * @param totalSteps how many all epochs have
   */
  public abstract float factor(long step, long totalSteps);
}
