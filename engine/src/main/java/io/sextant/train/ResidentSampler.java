package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * Draws items on the device by the distribution of an {@link ItemSampler}: a function of seed,
 * stream and counter, the same on every device.
 *
 * <p>Design. The numbers are those of Widynski's counter-based generator ("Squares: A Fast
 * Counter-Based RNG", arXiv:2004.06278), whose shifts are written as remainders and exact products
 * in double precision, because DJL has no shifts.
 *
 * <p>Thread safety: immutable.
 */
final class ResidentSampler {

  /** How many numbers of the generator a draw takes. */
  static final int PER_DRAW = 2;

  private static final long WORD = 1L << 32;
  private static final double PER_WORD = 1.0 / WORD;

  private final int numItems;
  private final long key;
  private final @Nullable NDArray keep;
  private final @Nullable NDArray alias;

  /** What it knows of the distribution goes to the session's device. */
  ResidentSampler(Scope session, ItemSampler sampler, int numItems, long seed, String stream) {
    this.numItems = numItems;
    key = new CounterRandom(seed, stream, 0).nextLong() | 1;
    if (sampler.isUniform()) {
      keep = null;
      alias = null;
    } else {
      NDArray kept =
          HostArrays.floats(session.manager(), sampler.keepShares(), sampler.keepShares().length);
      keep = session.adopt(kept.toType(DataType.FLOAT64, false));
      kept.close();
      alias = HostArrays.longs(session.manager(), sampler.aliases(), numItems);
    }
  }

  /**
   * An item for each counter (M,) int64, which uses the number of the counter and the next.
   *
   * @param step owns the result
   */
  NDArray items(Scope step, NDArray counters) {
    try (Scope own = step.child()) {
      NDArray first = own.adopt(counters.duplicate());
      NDArray slot = uniform(first, key).muli(numItems).floor().toType(DataType.INT64, false);
      if (keep == null || alias == null) {
        return step.adopt(slot);
      }
      NDArray kept = uniform(first.add(1), key).lt(own.adopt(keep.gather(slot, 0)));
      NDArray other = own.adopt(alias.gather(slot, 0));
      return step.adopt(slot.getNDArrayInternal().where(kept, other));
    }
  }

  /**
   * Uniform in [0, 1) with 32 random bits: the high half of the generator's last word.
   *
   * @param counters int64
   * @return float64
   */
  static NDArray uniform(NDArray counters, long key) {
    NDArray y = counters.mul(key);
    NDArray z = y.add(key);
    NDArray x = turned(y.mul(y).addi(y));
    x = turned(x.mul(x).addi(z));
    x = turned(x.mul(x).addi(y));
    x = x.mul(x).addi(z);
    NDArray high = x.subi(x.mod(WORD)).toType(DataType.FLOAT64, false);
    // The word counts as signed: -1/2 to 1/2, which is 0 to 1 for the upper half moved below.
    NDArray signed = high.muli(PER_WORD).muli(PER_WORD);
    return signed.add(signed.lt(0).toType(DataType.FLOAT64, false));
  }

  /** The halves of 64 bits in the places of each other. */
  private static NDArray turned(NDArray x) {
    NDArray low = x.mod(WORD);
    NDArray high = x.sub(low).toType(DataType.FLOAT64, false).muli(PER_WORD);
    return low.muli(WORD).addi(high.toType(DataType.INT64, false).modi(WORD));
  }
}
