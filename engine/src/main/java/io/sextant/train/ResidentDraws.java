package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.tensor.Scope;

/**
 * Draws negatives for each example on the device, with the numbers of a {@link ResidentSampler}: a
 * function of seed and example, the same on every device.
 *
 * <p>Items that a user has seen are found by bisection and drawn again, a fixed number of times: so
 * often that for no user more than one negative in a thousand is a seen item, but {@value
 * #MAX_DRAWS} times at most. The number of operations depends on the data that is trained on, not
 * on how many examples are drawn for.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentDraws implements ResidentNegatives {

  private static final int MAX_DRAWS = 16;
  private static final double SEEN_SHARE = 1e-3;

  private final int perExample;
  private final int draws;
  private final int rounds;
  private final ResidentSampler items;
  private final ResidentSeen seen;

  /** What it knows of the data goes to the session's device. */
  ResidentDraws(
      Scope session,
      ItemSampler sampler,
      SeenItems seen,
      int numUsers,
      int numItems,
      SamplingOptions options,
      long seed) {
    perExample = options.negatives();
    draws = options.excludeSeen() ? draws(sampler, seen, numUsers) : 1;
    items = new ResidentSampler(session, sampler, numItems, seed, "resident-negatives");
    this.seen = ResidentSeen.of(session, seen, numUsers);
    rounds = Integer.SIZE - Integer.numberOfLeadingZeros(this.seen.longest());
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
      NDArray start = step.adopt(seen.starts().gather(user, 0)).toType(DataType.FLOAT64, false);
      NDArray end =
          step.adopt(seen.starts().gather(user.add(1), 0)).toType(DataType.FLOAT64, false);
      for (int draw = 1; draw < draws; draw++) {
        try (Scope trial = step.child()) {
          NDArray known = seen(trial, item, start, end);
          NDArray other = item(trial, numbers, firstExample, draw);
          item = step.adopt(other.getNDArrayInternal().where(known, item));
        }
      }
    }
    return item.reshape(examples, perExample);
  }

  /** One draw (count) for each number; numbers of different examples and draws are different. */
  private NDArray item(Scope step, NDArray numbers, long firstExample, int draw) {
    long perNumber = (long) ResidentSampler.PER_DRAW * MAX_DRAWS;
    long first = firstExample * perExample * perNumber + (long) ResidentSampler.PER_DRAW * draw;
    try (NDArray counters = numbers.mul(perNumber).addi(first)) {
      return items.items(step, counters);
    }
  }

  /** Whether each item is among those between start and end, by bisection. */
  private NDArray seen(Scope trial, NDArray item, NDArray start, NDArray end) {
    NDArray low = trial.adopt(start.duplicate());
    NDArray high = trial.adopt(end.duplicate());
    for (int round = 0; round < rounds; round++) {
      NDArray middle = low.add(high).muli(0.5).floor();
      NDArray there = trial.adopt(seen.items().gather(middle.toType(DataType.INT64, false), 0));
      NDArray less = there.lt(item).logicalAnd(middle.lt(high));
      low = trial.adopt(middle.add(1).getNDArrayInternal().where(less, low));
      high = trial.adopt(high.getNDArrayInternal().where(less, middle));
    }
    NDArray there = trial.adopt(seen.items().gather(low.toType(DataType.INT64, false), 0));
    return there.eq(item).logicalAnd(low.lt(end));
  }
}
