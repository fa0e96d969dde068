package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class GradTest {

  private static final int ROWS = 5;
  private static final int D = 3;

  @Test
  void gradientsAreThoseOfFiniteDifferences() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            Random random = new Random(1);
            float[] table = floats(random, ROWS * D);
            float[] weight = floats(random, D * D);
            NDManager manager = scope.manager();
            NDArray tableLeaf = Grad.leaf(HostArrays.floats(manager, table, ROWS, D), manager);
            NDArray weightLeaf = Grad.leaf(HostArrays.floats(manager, weight, D, D), manager);
            try (Grad grad = Grad.record()) {
              grad.backward(loss(tableLeaf, weightLeaf));
            }
            float[] byTable = HostArrays.toFloats(tableLeaf.getGradient());
            float[] byWeight = HostArrays.toFloats(weightLeaf.getGradient());
            for (int i = 0; i < table.length; i++) {
              assertThat((double) byTable[i])
                  .as("seed 1, table element %d", i)
                  .isCloseTo(difference(manager, table, weight, table, i), within(5e-3));
            }
            for (int i = 0; i < weight.length; i++) {
              assertThat((double) byWeight[i])
                  .as("seed 1, weight element %d", i)
                  .isCloseTo(difference(manager, table, weight, weight, i), within(5e-3));
            }
            assertThat(byTable[3 * D]).as("row 3 is never looked up").isZero();
            assertThat(byTable[4 * D]).as("row 4 is looked up twice").isNotZero();
          }
        });
  }

  @Test
  void recordingIsOnlyOnInsideOfARecording() {
    TensorThreads.run(
        () -> {
          assertThat(Grad.isRecording()).isFalse();
          try (Grad outer = Grad.record()) {
            assertThat(Grad.isRecording()).isTrue();
            try (Grad inner = Grad.pause()) {
              assertThat(Grad.isRecording()).isFalse();
            }
            assertThat(Grad.isRecording()).isTrue();
          }
          assertThat(Grad.isRecording()).isFalse();
        });
  }

  @Test
  void closingTwiceRestoresOnce() {
    TensorThreads.run(
        () -> {
          Grad first = Grad.record();
          first.close();
          try (Grad second = Grad.record()) {
            first.close();
            assertThat(Grad.isRecording()).isTrue();
          }
          assertThat(Grad.isRecording()).isFalse();
        });
  }

  @Test
  void aLeafSharesTheMemoryButNotTheGradient() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray values = HostArrays.floats(scope.manager(), new float[] {2, 3}, 2);
            NDArray leaf = Grad.leaf(values, scope.manager());
            try (Grad grad = Grad.record()) {
              grad.backward(leaf.square().sum());
            }
            assertThat(HostArrays.toFloats(leaf.getGradient())).containsExactly(4, 6);
            assertThat(values.hasGradient()).isFalse();
            values.muli(2);
            assertThat(HostArrays.toFloats(leaf)).containsExactly(4, 6);
          }
        });
  }

  @Test
  void aFactorSurvivesAGarbageCollectionBeforeBackward() {
    TensorThreads.run(
        () -> {
          for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT64)) {
            try (Scope scope = Scope.open(Device.cpu())) {
              NDArray leaf = Grad.leaf(scope.manager().ones(new Shape(3), type), scope.manager());
              try (Grad grad = Grad.record()) {
                NDArray[] results = new NDArray[50];
                for (int i = 0; i < results.length; i++) {
                  results[i] = Grad.times(leaf, 3);
                }
                NDArray sum = NDArrays.add(results).sum();
                assertThat(sum.getDataType()).isEqualTo(type);
                collectGarbage();
                grad.backward(sum);
              }
              assertThat(leaf.getGradient().toType(DataType.FLOAT32, true).toFloatArray())
                  .containsExactly(150, 150, 150);
            }
          }
        });
  }

  /** Frees what a collection frees and writes over it. */
  private static void collectGarbage() {
    for (int i = 0; i < 3; i++) {
      System.gc();
      try {
        Thread.sleep(50); // Buffers are freed by a thread of their own.
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    for (int i = 0; i < 2_000; i++) {
      ByteBuffer.allocateDirect(8).putLong(0, 0x7F00_1234_5678_9ABCL);
    }
  }

  @Test
  void threadsThatTrainAtOnceGetWhatTheyWouldGetAlone() throws Exception {
    int threads = 3;
    List<float[]> alone = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      int seed = t;
      alone.add(TensorThreads.call(() -> descend(seed, () -> {})));
    }
    assertThat(alone.get(0)).isNotEqualTo(alone.get(1));
    ExecutorService pool =
        Executors.newFixedThreadPool(threads, TensorThreads.factory("grad-test"));
    CyclicBarrier barrier = new CyclicBarrier(threads);
    try {
      List<Future<float[]>> together = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int seed = t;
        together.add(
            pool.submit(
                () ->
                    descend(
                        seed,
                        () -> {
                          try {
                            barrier.await(20, TimeUnit.SECONDS);
                          } catch (Exception e) {
                            throw new IllegalStateException(e);
                          }
                        })));
      }
      for (int t = 0; t < threads; t++) {
        assertThat(together.get(t).get(60, TimeUnit.SECONDS)).isEqualTo(alone.get(t));
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /** Gradient descent; the pause inside of each recording makes all recordings overlap. */
  private static float[] descend(int seed, Runnable pause) {
    Random random = new Random(seed);
    try (Scope scope = Scope.open(Device.cpu())) {
      NDArray table = HostArrays.floats(scope.manager(), floats(random, ROWS * D), ROWS, D);
      NDArray weight = HostArrays.floats(scope.manager(), floats(random, D * D), D, D);
      for (int step = 0; step < 20; step++) {
        try (Scope temporary = scope.child()) {
          NDArray tableLeaf = Grad.leaf(table, temporary.manager());
          NDArray weightLeaf = Grad.leaf(weight, temporary.manager());
          try (Grad grad = Grad.record()) {
            NDArray loss = loss(tableLeaf, weightLeaf);
            pause.run();
            grad.backward(loss);
          }
          table.subi(tableLeaf.getGradient().mul(0.05f));
          weight.subi(weightLeaf.getGradient().mul(0.05f));
        }
      }
      return HostArrays.toFloats(table);
    }
  }

  private static NDArray loss(NDArray table, NDArray weight) {
    NDArray index = HostArrays.longs(table.getManager(), new int[] {4, 0, 1, 4, 2}, 5);
    NDArray rows = RowOptimizer.gather(table, index);
    return Activation.softPlus(rows.matMul(weight)).mul(rows).sum();
  }

  private static double difference(
      NDManager manager, float[] table, float[] weight, float[] moved, int i) {
    float step = 1e-2f;
    float before = moved[i];
    moved[i] = before + step;
    double up = loss(manager, table, weight);
    moved[i] = before - step;
    double down = loss(manager, table, weight);
    moved[i] = before;
    return (up - down) / (2 * step);
  }

  private static double loss(NDManager manager, float[] table, float[] weight) {
    return loss(
            HostArrays.floats(manager, table, ROWS, D), HostArrays.floats(manager, weight, D, D))
        .getFloat();
  }

  private static float[] floats(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
