package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LogisticLineTest {

  /** With one binary feature the fit is the observed rate on each side. */
  @Test
  void aBinaryFeatureGetsItsTwoRates() {
    float[] x = new float[100];
    float[] labels = new float[100];
    for (int i = 0; i < 100; i++) {
      x[i] = i < 60 ? 0 : 1;
      labels[i] = (i < 60 ? i < 15 : i < 90) ? 1 : 0;
    }
    float[] p = LogisticLine.fit(x, labels).predict(new float[] {0, 1});
    assertThat(p[0]).isCloseTo(0.25f, within(1e-4f));
    assertThat(p[1]).isCloseTo(0.75f, within(1e-4f));
  }

  @Test
  void theLineOfTheDataIsFound() {
    Random random = new Random(3);
    float[] x = new float[40_000];
    float[] labels = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = 3 + 2 * (float) random.nextGaussian();
      labels[i] = random.nextDouble() < 1 / (1 + Math.exp(4 - 1.5 * x[i])) ? 1 : 0;
    }
    LogisticLine line = LogisticLine.fit(x, labels);
    // Standard errors are near 0.04 and 0.015.
    assertThat(line.intercept()).as("seed 3").isCloseTo(-4, within(0.2));
    assertThat(line.slope()).as("seed 3").isCloseTo(1.5, within(0.08));
  }

  @Test
  void featuresThatSeparateOrSayNothingGiveFiniteAnswers() {
    float[] labels = {0, 0, 1, 1};
    float[] p = LogisticLine.fit(new float[] {1, 2, 3, 4}, labels).predict(new float[] {1, 4});
    assertThat(p[0]).isBetween(0f, 0.1f);
    assertThat(p[1]).isBetween(0.9f, 1f);
    assertThat(LogisticLine.fit(new float[4], labels).predict(new float[1])[0])
        .isCloseTo(0.5f, within(1e-5f));
  }
}
