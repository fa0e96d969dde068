package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.SextantException;
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

  private static void assertFreed(NDArray array) {
    assertThatThrownBy(array::getFloat).isInstanceOf(IllegalStateException.class);
  }
}
