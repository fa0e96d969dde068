package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both paths of both row optimizers against loops in double precision. */
class RowOptimizerTest {

  /** More rows than one thread takes at a time. */
  private static final int R = 301;

  private static final int MOST_ROWS = 200;
  private static final int D = 5;
  private static final int STEPS = 6;
  private static final long SEED = 4;

  @ParameterizedTest
  @CsvSource({"ADAGRAD,false", "ADAGRAD,true", "ADAM,false", "ADAM,true"})
  void stepsAreThoseOfTheOracle(RowOptimizer.Kind kind, boolean device) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            Random random = new Random(SEED);
            float[] start = floats(random, R * D);
            NDArray table = HostArrays.floats(scope.manager(), start, R, D);
            RowOptimizer optimizer = RowOptimizer.create(kind, scope, R, D);
            Oracle oracle = new Oracle(kind, start);
            for (int step = 1; step <= STEPS; step++) {
              int[] rows = someRows(random);
              float[] gradient = floats(random, rows.length * D);
              float rate = 0.1f / step;
              try (Scope temporary = scope.child()) {
                RowSet set = new RowSet(temporary.manager(), rows, new int[rows.length]);
                NDArray g =
                    HostArrays.floats(temporary.manager(), gradient.clone(), rows.length, D);
                step(optimizer, device, step, table, set, g, rate);
                assertThat(HostArrays.toFloats(g))
                    .as("the gradient is read only")
                    .isEqualTo(gradient);
              }
              oracle.step(rows, gradient, rate);
              String as = "seed %d, %s, step %d".formatted(SEED, kind, step);
              assertClose(HostArrays.toFloats(table), oracle.table, as);
              if (kind == RowOptimizer.Kind.ADAGRAD) {
                assertClose(state(optimizer, "adagrad.sum"), oracle.sums, as);
              } else {
                assertClose(state(optimizer, "adam.m"), oracle.first, as);
                assertClose(state(optimizer, "adam.v"), oracle.second, as);
              }
            }
          }
        });
  }

  /** The last row of a table is never touched by {@link #someRows}. */
  @ParameterizedTest
  @CsvSource({"ADAGRAD,false", "ADAGRAD,true", "ADAM,false", "ADAM,true"})
  void rowsThatWereNotReadKeepTheirBits(RowOptimizer.Kind kind, boolean device) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            Random random = new Random(SEED);
            float[] start = floats(random, R * D);
            NDArray table = HostArrays.floats(scope.manager(), start, R, D);
            RowOptimizer optimizer = RowOptimizer.create(kind, scope, R, D);
            int[] rows = someRows(random);
            RowSet set = new RowSet(scope.manager(), rows, new int[rows.length]);
            NDArray g =
                HostArrays.floats(scope.manager(), floats(random, rows.length * D), rows.length, D);
            step(optimizer, device, 1, table, set, g, 0.1f);
            float[] end = HostArrays.toFloats(table);
            for (int r = 0; r < R; r++) {
              int row = r;
              boolean read = Arrays.stream(rows).anyMatch(x -> x == row);
              float[] before = Arrays.copyOfRange(start, r * D, r * D + D);
              float[] after = Arrays.copyOfRange(end, r * D, r * D + D);
              assertThat(Arrays.equals(after, before)).as("row %d", r).isEqualTo(!read);
            }
          }
        });
  }

  /** Adam's first step only: later ones move by a mean of gradients. */
  @ParameterizedTest
  @CsvSource({"ADAGRAD,6", "ADAM,1"})
  void theDiagonalForetellsTheStep(RowOptimizer.Kind kind, int steps) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            Random random = new Random(SEED);
            NDArray table = HostArrays.floats(scope.manager(), floats(random, R * D), R, D);
            RowOptimizer optimizer = RowOptimizer.create(kind, scope, R, D);
            for (int step = 1; step <= steps; step++) {
              int[] rows = someRows(random);
              float[] gradient = floats(random, rows.length * D);
              Arrays.fill(gradient, 0, D, 0);
              float[] onHost = new float[gradient.length];
              optimizer.diagonalOnHost(rows, rows.length, D, gradient, onHost);
              RowSet set = new RowSet(scope.manager(), rows, new int[rows.length]);
              NDArray g = HostArrays.floats(scope.manager(), gradient, rows.length, D);
              float[] onDevice = HostArrays.toFloats(g.onesLike().mul(optimizer.diagonal(set, g)));
              float[] before = HostArrays.toFloats(table);
              optimizer.step(table, set, g, 0.1f);
              float[] after = HostArrays.toFloats(table);
              for (int i = 0; i < gradient.length; i++) {
                int at = rows[i / D] * D + i % D;
                double moved = (before[at] - after[at]) / 0.1;
                assertThat(onHost[i] * gradient[i]).isCloseTo((float) moved, within(2e-5f));
                assertThat(onDevice[i]).isCloseTo(onHost[i], within(1e-5f * (1 + onHost[i])));
              }
              assertThat(onHost[0])
                  .as("nothing was ever to be moved")
                  .satisfies(
                      d -> {
                        if (step(optimizer) == 1) {
                          assertThat(d).isZero();
                        }
                      });
            }
          }
        });
  }

  private static long step(RowOptimizer optimizer) {
    return optimizer.steps();
  }

  private static void step(
      RowOptimizer optimizer,
      boolean device,
      long number,
      NDArray table,
      RowSet rows,
      NDArray gradient,
      float rate) {
    if (!device) {
      optimizer.step(table, rows, gradient, rate);
      assertThat(optimizer.steps()).isEqualTo(number);
      return;
    }
    optimizer.restoreSteps(number - 1);
    optimizer.stepOnDevice(table, rows.index(), gradient, rate);
    assertThat(optimizer.steps()).isEqualTo(number);
  }

  private static float[] state(RowOptimizer optimizer, String name) {
    return HostArrays.toFloats(Objects.requireNonNull(optimizer.state().get(name)));
  }

  private static int[] someRows(Random random) {
    int[] rows = random.ints(0, R - 1).distinct().limit(MOST_ROWS).toArray();
    return Arrays.copyOf(rows, 1 + random.nextInt(MOST_ROWS));
  }

  private static float[] floats(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void assertClose(float[] actual, double[] expected, String as) {
    assertThat(actual).as(as).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual[i])
          .as("%s, element %d", as, i)
          .isCloseTo(expected[i], within(2e-6 * (1 + Math.abs(expected[i]))));
    }
  }

  private static final class Oracle {
    final double[] table;
    final double[] sums = new double[R];
    final double[] first = new double[R * D];
    final double[] second = new double[R * D];
    private final RowOptimizer.Kind kind;
    private int steps;

    Oracle(RowOptimizer.Kind kind, float[] start) {
      this.kind = kind;
      table = new double[start.length];
      Arrays.setAll(table, i -> start[i]);
    }

    void step(int[] rows, float[] gradient, double rate) {
      steps++;
      for (int k = 0; k < rows.length; k++) {
        double mean = 0;
        for (int d = 0; d < D; d++) {
          mean += Math.pow(gradient[k * D + d], 2) / D;
        }
        sums[rows[k]] += mean;
        for (int d = 0; d < D; d++) {
          int at = rows[k] * D + d;
          double g = gradient[k * D + d];
          first[at] = 0.9 * first[at] + 0.1 * g;
          second[at] = 0.999 * second[at] + 0.001 * g * g;
          if (kind == RowOptimizer.Kind.ADAGRAD) {
            table[at] -= rate * g / Math.sqrt(sums[rows[k]]);
          } else {
            double m = first[at] / (1 - Math.pow(0.9, steps));
            double v = second[at] / (1 - Math.pow(0.999, steps));
            table[at] -= rate * m / (Math.sqrt(v) + 1e-8);
          }
        }
      }
    }
  }
}
