package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.nn.Dropout;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Dropout whose draws are a function of (seed, step, site) and cost next to nothing. The engine's
 * own generator is one state for the whole process, and a mask that Java draws for every step costs
 * as much as the step; here one long array of factors is drawn once, and each site of each step
 * multiplies with another window of it, out of 2^20 that there are.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class DropoutPool {

  private static final int WINDOWS = 1 << 20;
  private static final int CHUNK = 1 << 16;

  private final Scope scope;
  private final float rate;
  private final long seed;
  private @Nullable NDArray factors;

  /** A pool whose array lives in the scope; drops this share of activations. */
  DropoutPool(Scope scope, float rate, long seed) {
    this.scope = scope;
    this.rate = rate;
    this.seed = seed;
  }

  /** What the sites of a step drop: the same each time it is asked. */
  Dropout ofStep(long step) {
    return ofPart(step, 0);
  }

  /** The same for the part of a step that begins with its so many-th example. */
  Dropout ofPart(long step, int from) {
    String part = from == 0 ? "" : "-from-" + from;
    return rate == 0 ? Dropout.NONE : (site, activations) -> apply(step, site + part, activations);
  }

  private NDArray apply(long step, String site, NDArray activations) {
    long size = activations.size();
    int start = new CounterRandom(seed, "dropout-site-" + site, step).nextInt(WINDOWS);
    NDArray window =
        pool(size).get(activations.getManager(), new NDIndex("{}:{}", start, start + size));
    return activations.mul(window.reshape(activations.getShape()));
  }

  /** The array, long enough for windows of the size; a longer one begins as the shorter did. */
  private NDArray pool(long size) {
    long chunks = (WINDOWS + size + CHUNK - 1) / CHUNK;
    if (factors == null || factors.size() < chunks * CHUNK) {
      NDArray longer =
          HostArrays.create(
              scope.manager(),
              new Shape(chunks * CHUNK),
              DataType.FLOAT32,
              memory -> {
                FloatBuffer floats = memory.asFloatBuffer();
                for (long chunk = 0; chunk < chunks; chunk++) {
                  floats.put(draw(chunk));
                }
              });
      if (factors != null) {
        factors.close();
      }
      factors = longer;
    }
    return factors;
  }

  /** Four draws from each 64 random bits, so a rate is met to within 2^-16. */
  private float[] draw(long chunk) {
    CounterRandom random = new CounterRandom(seed, "dropout", chunk);
    int dropBelow = Math.round(rate * (1 << 16));
    float kept = 1f / (1 - dropBelow * 0x1.0p-16f);
    float[] values = new float[CHUNK];
    for (int i = 0; i < CHUNK; i += 4) {
      long bits = random.nextLong();
      for (int j = 0; j < 4; j++) {
        values[i + j] = (bits >>> (16 * j) & 0xFFFF) < dropBelow ? 0 : kept;
      }
    }
    return values;
  }
}
