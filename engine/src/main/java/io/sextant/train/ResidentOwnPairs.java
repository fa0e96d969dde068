package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.nn.Activation;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * Each example with its positive item and n negatives of its own, or with its value alone: 1 + n
 * pairs. Negatives are drawn for as many steps at once as fill the device, because their operations
 * are many and small.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentOwnPairs implements ResidentPairs {

  /** So many negatives are drawn at once, or those of one step if they are more. */
  private static final int DRAWN_AT_ONCE = 1 << 20;

  private final Scope session;
  private final SamplingOptions options;
  private final ResidentNegatives negatives;
  private final float temperature;
  private final int perExample;
  private final NDArray userOfRow;
  private final @Nullable NDArray valueOfRow;
  private @Nullable NDArray order;
  private @Nullable Block block;

  /** Negatives (M, n) of the examples of the epoch from one on. */
  private record Block(Scope scope, int from, int to, NDArray negatives) {}

  /**
   * @param userOfRow (n,) int64
   * @param valueOfRow (n,) for the squared error, else null
   */
  ResidentOwnPairs(
      Scope session,
      SamplingOptions options,
      ResidentNegatives negatives,
      float temperature,
      NDArray userOfRow,
      @Nullable NDArray valueOfRow) {
    this.session = session;
    this.options = options;
    this.negatives = negatives;
    this.temperature = temperature;
    this.userOfRow = userOfRow;
    this.valueOfRow = valueOfRow;
    perExample = options.objective().ownNegatives() ? options.negatives() : 0;
  }

  @Override
  public void startEpoch(NDArray order, int[] examples, int batchSize) {
    dropBlock();
    this.order = order;
  }

  @Override
  public NDArray items(Rows rows) {
    NDArray positives = rows.positives();
    if (perExample == 0) {
      return positives;
    }
    NDArray first = positives.reshape(-1, 1);
    return NDArrays.concat(new NDList(first, negatives(rows.scope(), rows.position())), 1)
        .flatten();
  }

  private NDArray negatives(Scope step, ResidentForm.Position position) {
    int from = position.from();
    int to = position.to();
    NDArray all = required(order);
    Block now = block;
    if (now == null || from < now.from || to > now.to) {
      dropBlock();
      int steps = Math.max(1, DRAWN_AT_ONCE / (position.size() * perExample));
      int end = (int) Math.min(all.size(), from + (long) steps * position.size());
      Scope scope = session.child();
      try (Scope drawing = scope.child()) {
        NDArray rows = drawing.adopt(all.get(new NDIndex("{}:{}", from, end)));
        NDArray users = drawing.adopt(userOfRow.gather(rows, 0));
        NDArray drawn = scope.adopt(negatives.draw(drawing, users, position.firstExample()));
        now = new Block(scope, from, end, drawn);
      }
      block = now;
    }
    return step.adopt(now.negatives.get(new NDIndex("{}:{}", from - now.from, to - now.from)));
  }

  private void dropBlock() {
    if (block != null) {
      block.scope.close();
      block = null;
    }
  }

  @Override
  public Compared compare(Rows rows, ResidentSide user, ResidentSide item) {
    NDArray u = user.values; // (B, D)
    NDArray scores =
        vectors(item, u)
            .batchMatMul(u.expandDims(2))
            .squeeze(2)
            .divi(Numbers.of(u.getManager(), temperature));
    if (user.biases != null && item.biases != null) {
      scores.addi(user.biases).addi(item.biases.reshape(-1, 1 + perExample));
    }
    NDArray positive = scores.get(new NDIndex(":, 0:1")); // (B, 1)
    NDArray others = scores.get(new NDIndex(":, 1:")); // (B, n)
    return switch (options.objective()) {
      case SQUARED_ERROR -> {
        NDArray values = rows.scope().adopt(required(valueOfRow).gather(rows.rows(), 0));
        NDArray error = positive.sub(values.expandDims(1));
        yield new Compared(error.square().mul(Numbers.of(u.getManager(), 0.5f)).squeeze(1), error);
      }
      case BPR -> {
        NDArray margins = others.sub(positive);
        NDArray slopes = Activation.sigmoid(margins).divi(Numbers.of(u.getManager(), perExample));
        NDArray first = slopes.sum(new int[] {1}, true).negi();
        yield new Compared(
            Activation.softPlus(margins).mean(new int[] {1}),
            NDArrays.concat(new NDList(first, slopes), 1));
      }
      case BCE -> {
        NDArray first = Activation.sigmoid(positive.neg()).negi();
        NDArray slopes = NDArrays.concat(new NDList(first, Activation.sigmoid(others)), 1);
        NDArray losses =
            NDArrays.concat(
                new NDList(Activation.softPlus(positive.neg()), Activation.softPlus(others)), 1);
        yield new Compared(
            losses.mean(new int[] {1}), slopes.divi(Numbers.of(u.getManager(), 1 + perExample)));
      }
      case SAMPLED_SOFTMAX, FULL_SOFTMAX ->
          throw new IllegalStateException("these have negatives that examples share");
    };
  }

  /** The items of each example (B, 1 + n, D). */
  private NDArray vectors(ResidentSide item, NDArray u) {
    return item.values.reshape(u.getShape().get(0), 1 + perExample, u.getShape().get(1));
  }

  @Override
  public Gradients gradients(ResidentSide user, ResidentSide item, NDArray slopes) {
    NDArray u = user.values;
    NDArray scaled = slopes.div(Numbers.of(u.getManager(), temperature)); // (B, 1 + n)
    NDArray users = scaled.expandDims(1).batchMatMul(vectors(item, u)).squeeze(1);
    NDArray items = scaled.expandDims(2).mul(u.expandDims(1)).reshape(item.values.getShape());
    NDArray userBiases = slopes.sum(new int[] {1}, true);
    // A user's bias cancels in a comparison of two of the user's items.
    if (options.objective() == Objective.BPR) {
      userBiases = userBiases.zerosLike();
    }
    return new Gradients(users, userBiases, items, slopes.reshape(-1, 1));
  }

  private static NDArray required(@Nullable NDArray array) {
    if (array == null) {
      throw new IllegalStateException("no epoch was started, or values are not for this objective");
    }
    return array;
  }
}
