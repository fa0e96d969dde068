package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.SextantException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.Test;

class ScopeTest {

  @Test
  void arraysLiveAsLongAsTheirScope() {
    TensorThreads.run(
        () -> {
          long before = Scope.liveScopes();
          NDArray own;
          NDArray promoted;
          try (Scope parent = Scope.open(Device.cpu())) {
            NDArray local;
            try (Scope child = parent.child()) {
              assertThat(Scope.liveScopes()).isEqualTo(before + 2);
              local = HostArrays.floats(child.manager(), new float[] {1}, 1);
              promoted = HostArrays.floats(child.manager(), new float[] {2}, 1);
              assertThat(child.promote(promoted)).isSameAs(promoted);
            }
            assertFreed(local);
            assertThat(promoted.getFloat()).isEqualTo(2);
            try (Scope other = Scope.open(Device.cpu())) {
              own = HostArrays.floats(other.manager(), new float[] {3}, 1);
              assertThat(parent.adopt(own)).isSameAs(own);
            }
            assertThat(own.getFloat()).isEqualTo(3);
          }
          assertFreed(promoted);
          assertFreed(own);
          assertThat(Scope.liveScopes()).isEqualTo(before);
        });
  }

  @Test
  void aClosedScopeMakesNothing() {
    TensorThreads.run(
        () -> {
          long before = Scope.liveScopes();
          Scope scope = Scope.open(Device.cpu());
          scope.close();
          scope.close();
          assertThat(Scope.liveScopes()).as("closing twice counts once").isEqualTo(before);
          assertThatThrownBy(scope::manager).isInstanceOf(SextantException.class);
          assertThatThrownBy(scope::child).isInstanceOf(SextantException.class);
        });
  }

  @Test
  void closingAScopeClosesTheScopesInside() {
    TensorThreads.run(
        () -> {
          long before = Scope.liveScopes();
          Scope parent = Scope.open(Device.cpu());
          Scope child = parent.child();
          Scope grandchild = child.child();
          NDArray array = HostArrays.floats(grandchild.manager(), new float[] {1}, 1);
          parent.close();
          assertThat(Scope.liveScopes()).isEqualTo(before);
          assertFreed(array);
          for (Scope closed : List.of(parent, child, grandchild)) {
            assertClosed(closed::manager);
            assertClosed(closed::child);
            assertClosed(closed::device);
            assertClosed(() -> closed.promote(array));
            assertClosed(() -> closed.adopt(array));
          }
          grandchild.close();
          child.close();
          assertThat(Scope.liveScopes()).as("each counts once").isEqualTo(before);
        });
  }

  @Test
  void closingAChildLeavesItsSiblingsOpen() {
    TensorThreads.run(
        () -> {
          try (Scope parent = Scope.open(Device.cpu());
              Scope sibling = parent.child()) {
            parent.child().close();
            assertThat(sibling.device()).isEqualTo(Device.cpu());
            assertThat(parent.device()).isEqualTo(Device.cpu());
          }
        });
  }

  @Test
  void childrenAreOpenedAndClosedByManyThreads() throws Exception {
    long before = Scope.liveScopes();
    int threads = 4;
    ExecutorService pool =
        Executors.newFixedThreadPool(threads, TensorThreads.factory("scope-test"));
    try (Scope parent = Scope.open(Device.cpu())) {
      List<Future<Float>> sums = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        sums.add(
            pool.submit(
                () -> {
                  float sum = 0;
                  for (int i = 0; i < 500; i++) {
                    try (Scope child = parent.child()) {
                      sum += HostArrays.floats(child.manager(), new float[] {1}, 1).getFloat();
                    }
                  }
                  return sum;
                }));
      }
      for (Future<Float> sum : sums) {
        assertThat(sum.get(60, TimeUnit.SECONDS)).isEqualTo(500);
      }
      assertThat(Scope.liveScopes()).isEqualTo(before + 1);
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void thereIsNothingAboveTheFirstScope() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray array = HostArrays.floats(scope.manager(), new float[] {1}, 1);
            assertThatThrownBy(() -> scope.promote(array)).isInstanceOf(SextantException.class);
            assertThat(array.getFloat()).isEqualTo(1);
          }
        });
  }

  private static void assertClosed(ThrowableAssert.ThrowingCallable use) {
    assertThatThrownBy(use)
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("this scope is closed");
  }

  private static void assertFreed(NDArray array) {
    assertThatThrownBy(array::getFloat).isInstanceOf(IllegalStateException.class);
  }
}
