package io.sextant.tensor;

/**
 * Random numbers as a pure function of (seed, stream, step): the same on every machine and device,
 * and there is no state to save, because a generator is made anew from its three numbers wherever
 * it is needed. This is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), a finalizer over a Weyl
 * sequence, whose start is a hash of the three.
 *
 * <p>Thread safety: an instance belongs to one thread.
 */
public final class CounterRandom {

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private long counter;
  private double spareGaussian = Double.NaN;

  /**
   * The generator of one step of one stream.
   *
   * @param seed what the user chose
   * @param stream the purpose: two purposes never share numbers
   * @param step the step, epoch or row for which numbers are drawn
   */
  public CounterRandom(long seed, long stream, long step) {
    counter = mix(mix(mix(seed) + GOLDEN * stream) ^ (GOLDEN * (step + 1)));
  }

  /** The generator of a stream that is named by its purpose. */
  public CounterRandom(long seed, String stream, long step) {
    this(seed, streamOf(stream), step);
  }

  /** 64 random bits. */
  public long nextLong() {
    counter += GOLDEN;
    return mix(counter);
  }

  /** Uniform in [0, bound), without bias. */
  public int nextInt(int bound) {
    if (bound <= 0) {
      throw new IllegalArgumentException("bound must be > 0 but was " + bound);
    }
    // Lemire's method: the high half of a product, rejecting the few low halves that would bias it.
    long product = (nextLong() >>> 32) * bound;
    long low = product & 0xFFFFFFFFL;
    if (low < bound) {
      long threshold = (0x100000000L - bound) % bound;
      while (low < threshold) {
        product = (nextLong() >>> 32) * bound;
        low = product & 0xFFFFFFFFL;
      }
    }
    return (int) (product >>> 32);
  }

  /** Uniform in [0, 1), with 24 random bits. */
  public float nextFloat() {
    return (nextLong() >>> 40) * 0x1.0p-24f;
  }

  /** Uniform in [0, 1), with 53 random bits. */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1.0p-53;
  }

  /** Standard normal (Box and Muller's transform). */
  public double nextGaussian() {
    if (!Double.isNaN(spareGaussian)) {
      double value = spareGaussian;
      spareGaussian = Double.NaN;
      return value;
    }
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - nextDouble()));
    double angle = 2 * Math.PI * nextDouble();
    spareGaussian = radius * StrictMath.sin(angle);
    return radius * StrictMath.cos(angle);
  }

  /** Shuffles in place (Fisher and Yates). */
  public void shuffle(int[] values) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = nextInt(i + 1);
      int swap = values[i];
      values[i] = values[j];
      values[j] = swap;
    }
  }

  private static long streamOf(String name) {
    long hash = 0xCBF29CE484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001B3L;
    }
    return mix(hash);
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
