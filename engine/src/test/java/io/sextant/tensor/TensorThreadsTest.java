package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.SextantException;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class TensorThreadsTest {

  @Test
  void workRunsOnATensorThreadAndWorkInsideOfItAtOnce() {
    assertThat(TensorThreads.isTensorThread()).isFalse();
    Thread outer = TensorThreads.call(Thread::currentThread);
    assertThat(outer).isNotSameAs(Thread.currentThread());
    assertThat(
            TensorThreads.<Boolean>call(
                () -> {
                  Thread here = Thread.currentThread();
                  return TensorThreads.isTensorThread()
                      && TensorThreads.call(() -> Thread.currentThread() == here);
                }))
        .isTrue();
  }

  @Test
  void failuresComeAsTheyAre() {
    IllegalStateException unchecked = new IllegalStateException("a");
    assertThatThrownBy(
            () ->
                TensorThreads.run(
                    () -> {
                      throw unchecked;
                    }))
        .isSameAs(unchecked);
    AssertionError error = new AssertionError("b");
    assertThatThrownBy(
            () ->
                TensorThreads.run(
                    () -> {
                      throw error;
                    }))
        .isSameAs(error);
    assertThatThrownBy(
            () ->
                TensorThreads.call(
                    () -> {
                      throw new IOException("c");
                    }))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("c")
        .hasCauseInstanceOf(IOException.class);
  }

  @Test
  void anInterruptReachesTheWorkAndTheCallEndsWithIt() throws InterruptedException {
    CountDownLatch started = new CountDownLatch(1);
    AtomicBoolean workWasInterrupted = new AtomicBoolean();
    AtomicBoolean workHadEnded = new AtomicBoolean();
    AtomicBoolean callerStaysInterrupted = new AtomicBoolean();
    CountDownLatch slowEnd = new CountDownLatch(1);
    Thread caller =
        new Thread(
            () -> {
              String result =
                  TensorThreads.call(
                      () -> {
                        started.countDown();
                        try {
                          new CountDownLatch(1).await();
                        } catch (InterruptedException e) {
                          workWasInterrupted.set(true);
                        }
                        // What a checkpoint does: it goes on for a while after the interrupt.
                        slowEnd.await(200, TimeUnit.MILLISECONDS);
                        workHadEnded.set(true);
                        return "saved";
                      });
              callerStaysInterrupted.set(
                  result.equals("saved")
                      && workHadEnded.get()
                      && Thread.currentThread().isInterrupted());
            });
    caller.start();
    started.await();
    caller.interrupt();
    caller.join(60_000);
    assertThat(workWasInterrupted).isTrue();
    assertThat(callerStaysInterrupted).isTrue();
  }

  @Test
  void aCallerThatIsInterruptedAlreadyInterruptsItsWorkAndNoOther() {
    Thread.currentThread().interrupt();
    boolean seen = false;
    try {
      seen =
          TensorThreads.call(
              () -> {
                try {
                  return !new CountDownLatch(1).await(30, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                  return false;
                }
              });
      assertThat(seen).as("the work waited to its end").isFalse();
    } finally {
      assertThat(Thread.interrupted()).as("the interrupt is kept").isTrue();
    }
    boolean next = TensorThreads.call(() -> Thread.currentThread().isInterrupted());
    assertThat(next).as("the next work of the same thread").isFalse();
  }
}
