package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * Draws negatives on the device, by the distribution of an {@link ItemSampler}: a function of seed
 * and example, the same on every device.
 *
 * <p>Design. The numbers are those of Widynski's counter-based generator ("Squares: A Fast
 * Counter-Based RNG", arXiv:2004.06278), whose shifts are written as remainders and exact products
 * in double precision, because DJL has no shifts. Items that a user has seen are found by bisection
 * and drawn again, a fixed number of times: so often that for no user more than one negative in a
 * thousand is a seen item, but {@value #MAX_DRAWS} times at most. The number of operations depends
 * on the data that is trained on, not on how many examples are drawn for.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentDraws implements ResidentNegatives {

  private static final int MAX_DRAWS = 16;
  private static final double SEEN_SHARE = 1e-3;

  private static final long WORD = 1L << 32;
  private static final double PER_WORD = 1.0 / WORD;

  /** Behind the last item of the last user, so that a bisection never reads past the end. */
  private static final int NO_ITEM = Integer.MAX_VALUE;

  private final int numItems;
  private final int perExample;
  private final long key;
  private final int draws;
  private final int rounds;
  private final @Nullable NDArray keep;
  private final @Nullable NDArray alias;
  private final NDArray seenStarts;
  private final NDArray seenItems;

  /** What it knows of the data goes to the session's device. */
  ResidentDraws(
      Scope session,
      ItemSampler sampler,
      SeenItems seen,
      int numUsers,
      int numItems,
      SamplingOptions options,
      long seed) {
    this.numItems = numItems;
    perExample = options.negatives();
    key = new CounterRandom(seed, "resident-negatives", 0).nextLong() | 1;
    draws = options.excludeSeen() ? draws(sampler, seen, numUsers) : 1;
    int longest = 0;
    int[] starts = new int[numUsers + 1];
    for (int user = 0; user < numUsers; user++) {
      longest = Math.max(longest, seen.end(user) - seen.start(user));
      starts[user + 1] = seen.end(user);
    }
    rounds = Integer.SIZE - Integer.numberOfLeadingZeros(longest);
    int[] items = new int[starts[numUsers] + 1];
    for (int i = 0; i < items.length - 1; i++) {
      items[i] = seen.itemAt(i);
    }
    items[items.length - 1] = NO_ITEM;
    seenStarts = HostArrays.longs(session.manager(), starts, starts.length);
    seenItems = HostArrays.longs(session.manager(), items, items.length);
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

  /** How often an item is drawn for one negative. */
  private static int draws(ItemSampler sampler, SeenItems seen, int numUsers) {
    double most = 0;
    for (int user = 0; user < numUsers; user++) {
      double share = 0;
      for (int i = seen.start(user); i < seen.end(user); i++) {
        share += sampler.probability(seen.itemAt(i));
      }
      most = Math.max(most, share);
    }
    int draws = 1;
    for (double left = most; left > SEEN_SHARE && draws < MAX_DRAWS; left *= most) {
      draws++;
    }
    return draws;
  }

  int draws() {
    return draws;
  }

  @Override
  public NDArray draw(Scope step, NDArray users, long firstExample) {
    long examples = users.getShape().get(0);
    long count = examples * perExample;
    NDArray numbers = step.manager().arange(0, Math.toIntExact(count), 1, DataType.INT64);
    NDArray item = item(step, numbers, firstExample, 0);
    if (draws > 1) {
      NDArray user = users.reshape(examples, 1).broadcast(examples, perExample).reshape(count);
      NDArray start = step.adopt(seenStarts.gather(user, 0)).toType(DataType.FLOAT64, false);
      NDArray end = step.adopt(seenStarts.gather(user.add(1), 0)).toType(DataType.FLOAT64, false);
      for (int draw = 1; draw < draws; draw++) {
        try (Scope trial = step.child()) {
          NDArray seen = seen(trial, item, start, end);
          NDArray other = item(trial, numbers, firstExample, draw);
          item = step.adopt(other.getNDArrayInternal().where(seen, item));
        }
      }
    }
    return item.reshape(examples, perExample);
  }

  /** One draw (count) for each number; numbers of different examples and draws are different. */
  private NDArray item(Scope step, NDArray numbers, long firstExample, int draw) {
    long perNumber = 2L * MAX_DRAWS;
    long first = firstExample * perExample * perNumber + 2L * draw;
    NDArray item;
    try (Scope own = step.child()) {
      NDArray counters = own.adopt(numbers.mul(perNumber)).addi(first);
      NDArray slot = uniform(counters, key).muli(numItems).floor().toType(DataType.INT64, false);
      if (keep == null || alias == null) {
        item = step.adopt(slot);
      } else {
        NDArray kept = uniform(counters.add(1), key).lt(own.adopt(keep.gather(slot, 0)));
        NDArray other = own.adopt(alias.gather(slot, 0));
        item = step.adopt(slot.getNDArrayInternal().where(kept, other));
      }
    }
    return item;
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

  /** Whether each item is among those between start and end, by bisection. */
  private NDArray seen(Scope trial, NDArray item, NDArray start, NDArray end) {
    NDArray low = trial.adopt(start.duplicate());
    NDArray high = trial.adopt(end.duplicate());
    for (int round = 0; round < rounds; round++) {
      NDArray middle = low.add(high).muli(0.5).floor();
      NDArray there = trial.adopt(seenItems.gather(middle.toType(DataType.INT64, false), 0));
      NDArray less = there.lt(item).logicalAnd(middle.lt(high));
      low = trial.adopt(middle.add(1).getNDArrayInternal().where(less, low));
      high = trial.adopt(high.getNDArrayInternal().where(less, middle));
    }
    NDArray there = trial.adopt(seenItems.gather(low.toType(DataType.INT64, false), 0));
    return there.eq(item).logicalAnd(low.lt(end));
  }
}
