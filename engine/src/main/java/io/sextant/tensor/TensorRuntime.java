package io.sextant.tensor;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import io.sextant.nativeconfig.NativeRuntime;

/** Loads libtorch once, after the process has been prepared for it. */
final class TensorRuntime {

  private TensorRuntime() {}

  /** Returns when DJL's engine is loaded. Cheap after the first call. */
  static Engine start() {
    return Holder.ENGINE;
  }

  /** How many threads libtorch uses for one operation. */
  static int threads() {
    start();
    return JniUtils.getNumThreads();
  }

  private static final class Holder {
    static final Engine ENGINE = load();

    private static Engine load() {
      NativeRuntime.prepare();
      return Engine.getEngine("PyTorch");
    }
  }
}
