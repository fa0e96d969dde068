package io.sextant.tensor;

import ai.djl.engine.Engine;

/** Loads libtorch once, after the process has been prepared for it. */
final class TensorRuntime {

  private TensorRuntime() {}

  /** Returns when DJL's engine is loaded. Cheap after the first call. */
  static Engine start() {
    return Holder.ENGINE;
  }

  private static final class Holder {
    static final Engine ENGINE = load();

    private static Engine load() {
      return Engine.getEngine("PyTorch");
    }
  }
}
