package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * A softmax over each example's positive item and C columns that the batch shares. With p the
 * shares of the pairs, the first of them the positive one, the loss is {@code -log p_0} and {@code
 * dJ/ds = p - [first]}; scores and gradients are three products of matrices. O(B C D) time, some
 * {@code 24 B C} bytes.
 *
 * <p>The positions of the items are those that were drawn, then the positives, which may be columns
 * too.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentSharedPairs implements ResidentPairs {

  private final SamplingOptions options;
  private final SeenItems seenOnHost;
  private final int[] userOfExample;
  private final ResidentColumns columns;
  private final @Nullable NDArray catalogue;
  private final @Nullable ResidentSeen seen;
  private final float temperature;
  private int batchSize;
  private int[] seenOfBatch = new int[0];

  /**
   * @param userOfExample (n) not a copy
   * @param catalogue (N,) int64, the same columns in all steps; null to draw them
   * @param seen what users are not compared with; null for their positive item alone
   */
  ResidentSharedPairs(
      SamplingOptions options,
      SeenItems seenOnHost,
      int[] userOfExample,
      ResidentColumns columns,
      @Nullable NDArray catalogue,
      @Nullable ResidentSeen seen,
      float temperature) {
    this.options = options;
    this.seenOnHost = seenOnHost;
    this.userOfExample = userOfExample;
    this.columns = columns;
    this.catalogue = catalogue;
    this.seen = seen;
    this.temperature = temperature;
  }

  @Override
  public void startEpoch(NDArray order, int[] examples, int batchSize) {
    this.batchSize = batchSize;
    seenOfBatch = new int[(examples.length + batchSize - 1) / batchSize];
    for (int e = 0; e < examples.length; e++) {
      int user = userOfExample[examples[e]];
      seenOfBatch[e / batchSize] += seenOnHost.end(user) - seenOnHost.start(user);
    }
  }

  @Override
  public NDArray items(Rows rows) {
    NDArray first =
        catalogue == null ? columns.drawn(rows.scope(), rows.position().step()) : catalogue;
    return NDArrays.concat(new NDList(first, rows.positives()));
  }

  @Override
  public Compared compare(Rows rows, ResidentSide user, ResidentSide item) {
    Scope step = rows.scope();
    int size = rows.position().size();
    NDArray u = user.values;
    NDArray positive =
        u.mul(positives(item.values, u))
            .sum(new int[] {1}, true)
            .divi(Numbers.of(u.getManager(), temperature));
    NDArray scores =
        u.matMul(columns(item.values, u).transpose())
            .divi(Numbers.of(u.getManager(), temperature)); // (B, C)
    if (user.biases != null && item.biases != null) {
      positive.addi(user.biases).addi(positives(item.biases, u));
      scores.addi(user.biases).addi(columns(item.biases, u).transpose());
    }
    NDArray items = columns(item.index, u);
    scores.addi(
        columns.corrections(step, items, logExpected(step, items, size), size, leftOut(rows)));
    NDArray logs = NDArrays.concat(new NDList(positive, scores), 1).logSoftmax(1);
    NDArray slopes = logs.exp();
    slopes.get(new NDIndex(":, 0:1")).subi(Numbers.of(u.getManager(), 1));
    return new Compared(logs.get(new NDIndex(":, 0")).neg(), slopes);
  }

  private @Nullable NDArray logExpected(Scope step, NDArray items, int size) {
    return options.logQ() && options.objective() == Objective.SAMPLED_SOFTMAX
        ? columns.expected(step, items, size).minimum(Numbers.of(step.manager(), 1.0f)).log()
        : null;
  }

  private ResidentSeen.Pairs leftOut(Rows rows) {
    Scope step = rows.scope();
    ResidentForm.Position position = rows.position();
    return seen == null
        ? new ResidentSeen.Pairs(
            step.manager().arange(0, position.size(), 1, DataType.INT64), rows.positives())
        : seen.ofUsers(step, rows.users(), seenOfBatch[position.from() / batchSize]);
  }

  /** The columns' part of something with as many rows as there are item positions. */
  private NDArray columns(NDArray ofItems, NDArray u) {
    long all = ofItems.getShape().get(0);
    return options.inBatch()
        ? ofItems
        : ofItems.get(new NDIndex("0:{}", all - u.getShape().get(0)));
  }

  /** The positives' part of it (B, ...). */
  private static NDArray positives(NDArray ofItems, NDArray u) {
    return ofItems.get(new NDIndex("{}:", ofItems.getShape().get(0) - u.getShape().get(0)));
  }

  @Override
  public Gradients gradients(ResidentSide user, ResidentSide item, NDArray slopes) {
    NDArray u = user.values;
    NDArray scaled = slopes.div(Numbers.of(u.getManager(), temperature));
    NDArray first = scaled.get(new NDIndex(":, 0:1")); // (B, 1)
    NDArray others = scaled.get(new NDIndex(":, 1:")); // (B, C)
    NDArray users =
        others.matMul(columns(item.values, u)).addi(first.mul(positives(item.values, u)));
    NDArray items = byPosition(others.transpose().matMul(u), first.mul(u));
    NDArray biases =
        byPosition(
            slopes.get(new NDIndex(":, 1:")).sum(new int[] {0}).reshape(-1, 1),
            slopes.get(new NDIndex(":, 0:1")));
    // A user's bias cancels in a comparison of the user's items.
    NDArray none = u.getManager().zeros(new Shape(u.getShape().get(0), 1), DataType.FLOAT32);
    return new Gradients(users, none, items, biases);
  }

  /** What columns (C, W) and positives (B, W) have together in each position. */
  private NDArray byPosition(NDArray ofColumns, NDArray ofPositives) {
    if (options.inBatch()) {
      positives(ofColumns, ofPositives).addi(ofPositives);
      return ofColumns;
    }
    return NDArrays.concat(new NDList(ofColumns, ofPositives));
  }
}
