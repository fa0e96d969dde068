package io.sextant.tensor;

/**
 * Inner products of Java arrays. Eight partial sums let the processor work on eight at once; they
 * are added in a fixed order, so that a product is the same wherever it is computed.
 */
public final class InnerProduct {

  private InnerProduct() {}

  /** The inner product of {@code n} numbers of a, from {@code i} on, with those of b from j on. */
  public static float of(float[] a, int i, float[] b, int j, int n) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    float s4 = 0;
    float s5 = 0;
    float s6 = 0;
    float s7 = 0;
    int d = 0;
    for (; d <= n - 8; d += 8) {
      s0 += a[i + d] * b[j + d];
      s1 += a[i + d + 1] * b[j + d + 1];
      s2 += a[i + d + 2] * b[j + d + 2];
      s3 += a[i + d + 3] * b[j + d + 3];
      s4 += a[i + d + 4] * b[j + d + 4];
      s5 += a[i + d + 5] * b[j + d + 5];
      s6 += a[i + d + 6] * b[j + d + 6];
      s7 += a[i + d + 7] * b[j + d + 7];
    }
    float rest = 0;
    for (; d < n; d++) {
      rest += a[i + d] * b[j + d];
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)) + rest;
  }
}
