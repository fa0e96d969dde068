package io.sextant.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FewShotModelTest {

  private static final int ITEMS = 9;
  private static final int D = 4;
  private static final float RATE = 0.7f;
  private static final double PULL = 0.01;
  private static final double POWER = 0.5;
  private static final int[] EVENTS = {3, 5, 3, 8};

  /** The steps by finite differences of the loss as the documentation writes it, in double. */
  @ParameterizedTest
  @CsvSource({
    "META_SGD, LOGISTIC, 0, 1",
    "META_SGD, LOGISTIC, 0, 3",
    "META_SGD, LOGISTIC, 3, 2",
    "META_SGD, SOFTMAX, 3, 3",
    "FIRST_ORDER_MAML, LOGISTIC, 3, 2",
    "FIRST_ORDER_MAML, SOFTMAX, 4, 3",
  })
  void theInnerGradientIsThatOfTheLoss(
      FewShotOptions.Method method, FewShotOptions.Loss loss, int numNegatives, int steps) {
    FewShotOptions options =
        FewShotOptions.builder()
            .method(method)
            .loss(loss)
            .steps(steps)
            .items(FewShotOptions.Items.GIVEN)
            .negatives(numNegatives)
            .rate(RATE)
            .build();
    int[] negatives = IntStream.range(0, numNegatives).map(i -> 2 * i).toArray();
    boolean learns = method == FewShotOptions.Method.META_SGD;
    float[] vectors = random(ITEMS * D, 1);
    float[] start = random(D, 2);
    float[] adapted = adapt(options, vectors, start, negatives, EVENTS);

    double[] u = new double[D];
    for (int d = 0; d < D; d++) {
      u[d] = start[d];
    }
    for (int k = 0; k < steps; k++) {
      double[] gradient = new double[D];
      for (int d = 0; d < D; d++) {
        double h = 1e-5;
        double[] up = u.clone();
        double[] down = u.clone();
        up[d] += h;
        down[d] -= h;
        double pull = learns ? PULL : 0;
        gradient[d] =
            (loss(options, vectors, negatives, up, start, pull, learns ? POWER : 1)
                    - loss(options, vectors, negatives, down, start, pull, learns ? POWER : 1))
                / (2 * h);
      }
      for (int d = 0; d < D; d++) {
        u[d] -= RATE * gradient[d];
      }
    }
    for (int d = 0; d < D; d++) {
      // fp32 against double, over at most three steps.
      assertThat((double) adapted[d]).as("dimension %d", d).isCloseTo(u[d], within(2e-5));
    }
  }

  @Test
  void withoutEventsTheStartStays() {
    FewShotOptions options =
        FewShotOptions.builder().loss(FewShotOptions.Loss.SOFTMAX).negatives(3).build();
    float[] start = random(D, 2);
    assertThat(adapt(options, random(ITEMS * D, 1), start, new int[] {0, 1, 2})).isEqualTo(start);
  }

  @Test
  void onlyTheLatestEventsCount() {
    FewShotOptions options = FewShotOptions.builder().maxEvents(2).build();
    float[] vectors = random(ITEMS * D, 1);
    float[] start = random(D, 2);
    assertThat(adapt(options, vectors, start, new int[0], 7, 7, 1, 4))
        .isEqualTo(adapt(options, vectors, start, new int[0], 1, 4));
  }

  @Test
  void aBagIsTheLinearMapOfAllFeatures() {
    FeatureTable table =
        FeatureTable.builder(3)
            .add(new FeatureColumn.Categorical("kind", List.of("", "a", "b"), new int[] {1, 0, 2}))
            .add(
                new FeatureColumn.MultiHot(
                    "tags",
                    List.of("", "x", "y", "z"),
                    new int[] {0, 2, 2, 3},
                    new int[] {1, 3, 2}))
            .add(new FeatureColumn.Numeric("size", new float[] {1, Float.NaN, 3}))
            .add(new FeatureColumn.DenseVector("text", 2, new float[] {1, 2, 3, 4, 5, 6}))
            .build();
    FeatureBags bags = FeatureBags.of(EntityFeatures.of(table));
    // Rows: kind 0-2, tags 3-6, size 7, text 8-9; the two sizes lie one deviation off their mean.
    assertThat(bags.numRows()).isEqualTo(10);
    float[][] dense = new float[3][10];
    int[] rows = bags.rowsOf(new int[] {0, 1, 2});
    float[] weights = bags.weightsOf(new int[] {0, 1, 2});
    for (int i = 0; i < rows.length; i++) {
      dense[i / bags.width()][rows[i]] += weights[i];
    }
    assertThat(dense[0]).containsExactly(0, 1, 0, 0, .5f, 0, .5f, -1, 1, 2);
    assertThat(dense[1]).containsExactly(0, 0, 0, 0, 0, 0, 0, 0, 3, 4);
    assertThat(dense[2]).containsExactly(0, 0, 1, 0, 0, 1, 0, 1, 5, 6);
    assertThat(bags.weightsOf(new int[] {-1})).containsOnly(0);
  }

  @Test
  void optionsOutOfRangeAreNamed() {
    assertRefused(FewShotOptions.builder().steps(4), "steps");
    assertRefused(FewShotOptions.builder().negatives(-1), "negatives");
    assertRefused(FewShotOptions.builder().loss(FewShotOptions.Loss.SOFTMAX), "negatives");
    assertRefused(FewShotOptions.builder().maxEvents(0), "maxEvents");
    assertRefused(FewShotOptions.builder().maxQueries(0), "maxQueries");
    assertRefused(FewShotOptions.builder().rate(Float.NaN), "rate");
    assertRefused(
        FewShotOptions.builder().method(FewShotOptions.Method.FIRST_ORDER_MAML), "META_SGD");
  }

  private static void assertRefused(FewShotOptions.Builder options, String word) {
    assertThatThrownBy(options::build)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(word);
  }

  private static float[] adapt(
      FewShotOptions options, float[] vectors, float[] start, int[] negatives, int... events) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray items = HostArrays.floats(scope.manager(), vectors, ITEMS, D);
            FewShotModel model =
                new FewShotModel(scope, items, start, FeatureBags.none(), negatives, options);
            FewShotInput input =
                FewShotInput.of(
                    scope.manager(),
                    FeatureBags.none(),
                    new int[] {-1},
                    new int[][] {events},
                    options.maxEvents());
            return HostArrays.toFloats(model.adapt(new ParameterValues(scope.manager()), input));
          }
        });
  }

  private static double loss(
      FewShotOptions options,
      float[] vectors,
      int[] negatives,
      double[] u,
      float[] start,
      double pull,
      double power) {
    double sum = 0;
    for (int event : EVENTS) {
      double own = dot(u, vectors, event);
      if (options.loss() == FewShotOptions.Loss.LOGISTIC) {
        sum += Math.log1p(Math.exp(-own));
        for (int z : negatives) {
          sum += Math.log1p(Math.exp(dot(u, vectors, z))) / negatives.length;
        }
      } else {
        double all = Math.exp(own);
        for (int z : negatives) {
          all += Math.exp(dot(u, vectors, z)) * ITEMS / negatives.length;
        }
        sum += Math.log(all) - own;
      }
    }
    double distance = 0;
    for (int d = 0; d < D; d++) {
      distance += (u[d] - start[d]) * (u[d] - start[d]);
    }
    return Math.pow(EVENTS.length, -power) * sum + pull / 2 * distance;
  }

  private static double dot(double[] u, float[] vectors, int item) {
    double sum = 0;
    for (int d = 0; d < D; d++) {
      sum += u[d] * vectors[item * D + d];
    }
    return sum;
  }

  private static float[] random(int length, long seed) {
    Random random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
