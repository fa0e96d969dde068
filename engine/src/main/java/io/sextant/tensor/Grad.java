package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;

/**
 * A recording of operations from which gradients are computed: reverse-mode differentiation on the
 * calling thread.
 *
 * <p>DJL's own {@code GradientCollector} allows one recording per process; libtorch has no such
 * limit, so this class talks to the engine below it, and any number of threads may train at the
 * same time.
 *
 * <pre>{@code
 * NDArray leaf = Grad.leaf(values);
 * try (Grad grad = Grad.record()) {
 *   grad.backward(loss(leaf));
 * }
 * NDArray gradient = leaf.getGradient();
 * }</pre>
 *
 * <p>Thread safety: belongs to the thread that opened it.
 */
public final class Grad implements AutoCloseable {

  private final boolean before;
  private boolean closed;

  private Grad(boolean recording) {
    TensorRuntime.start();
    before = JniUtils.isGradMode();
    JniUtils.setGradMode(recording);
  }

  /** Starts recording on this thread. Closing restores what was before. */
  public static Grad record() {
    return new Grad(true);
  }

  /**
   * Stops recording on this thread, also inside of a recording. Closing restores what was before.
   */
  public static Grad pause() {
    return new Grad(false);
  }

  /** Whether operations of this thread are being recorded. */
  public static boolean isRecording() {
    TensorRuntime.start();
    return JniUtils.isGradMode();
  }

  /**
   * A fresh leaf over the same memory: it takes a gradient of its own, and nothing that was
   * recorded before reaches it. It belongs to {@code owner} and dies with it.
   */
  public static NDArray leaf(NDArray values, NDManager owner) {
    NDArray leaf = values.stopGradient();
    leaf.attach(owner);
    leaf.setRequiresGradient(true);
    return leaf;
  }

  /**
   * The array times a number: what a recorded computation must use in the place of DJL's {@code
   * array.mul(number)}, {@code div(number)} and {@code pow(number)}.
   *
   * <p>Those wrap the number in a tensor over a Java buffer and let go of it at once, but the
   * recording still refers to its memory: a garbage collection before {@link #backward} frees it,
   * and the gradient is multiplied by whatever lies there then.
   */
  public static NDArray times(NDArray array, float factor) {
    NDManager manager = array.getManager();
    try (NDArray scalar = manager.full(new Shape(), factor, array.getDataType())) {
      return array.mul(scalar);
    }
  }

  /** Computes the gradient of a scalar with respect to every leaf that it was computed from. */
  public void backward(NDArray scalar) {
    try (NDArray one = scalar.getManager().ones(scalar.getShape(), scalar.getDataType())) {
      JniUtils.backward((PtNDArray) scalar, (PtNDArray) one, false, false);
    }
  }

  /** Computes gradients from that of an array that was computed: the chain rule goes on from it. */
  public void backward(NDArray array, NDArray gradient) {
    JniUtils.backward((PtNDArray) array, (PtNDArray) gradient, false, false);
  }

  @Override
  public void close() {
    // A second close must not undo what was opened or closed since.
    if (!closed) {
      closed = true;
      JniUtils.setGradMode(before);
    }
  }
}
