package io.sextant.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PredictionMetricsTest {

  @Test
  void handComputedVector() {
    PredictionMetrics metrics =
        PredictionMetrics.of(new float[] {0.75f, 0.5f, 0.25f, 0.25f}, new float[] {1, 0, 1, 0});
    assertThat(metrics.count()).isEqualTo(4);
    assertThat(metrics.accuracy()).isEqualTo(0.5); // right: the first and the last
    assertThat(metrics.baseRate()).isEqualTo(0.5);
    assertThat(metrics.observedRate()).isEqualTo(0.5);
    assertThat(metrics.predictedRate()).isEqualTo(0.4375);
    assertThat(metrics.calibrationRatio()).isEqualTo(0.875);
    // Pairs (yes, no): .75>.5, .75>.25, .25<.5, .25=.25.
    assertThat(metrics.auc()).isEqualTo(2.5 / 4);
    assertThat(metrics.logLoss())
        .isCloseTo(
            -(Math.log(0.75) + Math.log(0.5) + Math.log(0.25) + Math.log(0.75)) / 4, within(1e-12));
    // Bins of .75, .5 and {.25, .25}: |-.25| + |.5| + |.5 - 1|.
    assertThat(metrics.calibrationError()).isCloseTo(1.25 / 4, within(1e-12));
    assertThat(metrics.mse()).isCloseTo((0.0625 + 0.25 + 0.5625 + 0.0625) / 4, within(1e-12));
    assertThat(metrics.rmse()).isCloseTo(Math.sqrt(metrics.mse()), within(1e-15));
    assertThat(metrics.mae()).isCloseTo((0.25 + 0.5 + 0.75 + 0.25) / 4, within(1e-12));
  }

  @Test
  void accuracyDoesNotBeatTheBaseRateByAlwaysSayingNo() {
    PredictionMetrics metrics =
        PredictionMetrics.of(new float[] {0, 0, 0, 0, 0}, new float[] {0, 0, 0, 0, 1});
    assertThat(metrics.accuracy()).isEqualTo(0.8).isEqualTo(metrics.baseRate());
    assertThat(metrics.auc()).isEqualTo(0.5);
    assertThat(metrics.logLoss()).isFinite().isGreaterThan(3);
    assertThat(PredictionMetrics.of(new float[] {0.3f}, new float[] {1}, 0.3).accuracy())
        .as("the float .3 lies above the double .3: at or above the threshold is yes")
        .isEqualTo(1);
  }

  @Test
  void oneClassHasNoAuc() {
    PredictionMetrics metrics = PredictionMetrics.of(new float[] {0.5f}, new float[] {0});
    assertThat(metrics.auc()).isNaN();
    assertThat(metrics.calibrationRatio()).isNaN();
  }

  @Test
  void calibratedPredictionsAreCalibrated() {
    long seed = 11;
    Random random = new Random(seed);
    int n = 100_000;
    float[] predicted = new float[n];
    float[] observed = new float[n];
    for (int i = 0; i < n; i++) {
      predicted[i] = random.nextFloat();
      observed[i] = random.nextFloat() < predicted[i] ? 1 : 0;
    }
    PredictionMetrics metrics = PredictionMetrics.of(predicted, observed);
    // Each bin's mean error has deviation .5 / sqrt(10,000) = .005 at most: mean of ten, far below.
    assertThat(metrics.calibrationError()).as("seed %d", seed).isLessThan(0.01);
    assertThat(metrics.calibrationRatio()).as("seed %d", seed).isCloseTo(1, within(0.02));
    // P(yes above no) for uniform probabilities: 5/6.
    assertThat(metrics.auc()).as("seed %d", seed).isCloseTo(5.0 / 6, within(0.01));
  }

  @Test
  void refusesWhatIsNoProbability() {
    assertThatThrownBy(() -> PredictionMetrics.of(new float[] {0.5f, 1.5f}, new float[] {0, 1}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("prediction 1 is 1.5");
    assertThatThrownBy(() -> PredictionMetrics.of(new float[] {0.5f}, new float[] {0.5f}))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> PredictionMetrics.of(new float[] {Float.NaN}, new float[] {0}))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> PredictionMetrics.of(new float[0], new float[0]))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void ratingErrors() {
    RatingMetrics metrics = RatingMetrics.of(new float[] {3, 4, 1}, new float[] {5, 4, 2});
    assertThat(metrics.mse()).isEqualTo(5.0 / 3);
    assertThat(metrics.rmse()).isEqualTo(Math.sqrt(5.0 / 3));
    assertThat(metrics.mae()).isEqualTo(1);
    assertThatThrownBy(
            () -> RatingMetrics.of(new float[] {Float.POSITIVE_INFINITY}, new float[] {0}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("prediction 0");
  }
}
