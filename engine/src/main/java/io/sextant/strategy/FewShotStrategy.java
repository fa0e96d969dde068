package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.FeatureBags;
import io.sextant.nn.FewShotModel;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;

/**
 * A strategy for users of whom little is known: item vectors of {@link Als} with one more dimension
 * for the items' popularity, and a user's vector that is adapted to the latest events by learned
 * steps ({@link FewShotModel}). Users, seen in training or not, are served alike: by their features
 * and their events; an unknown user without events gets the learned start.
 *
 * <p>Complexity: that of the ALS fit, then per epoch U times one score of the catalogue, forward
 * and backward; with tuned item vectors a step moves whole tables, O(I D). A query costs O(K (n +
 * m) D).
 *
 * <p>Failure modes: few training users (hundreds) teach little about adaptation: then fixed item
 * vectors overfit less than tuned ones. Histories longer than {@code maxEvents} are cut.
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param settings the steps and how they are learned
 * @param base how the item vectors are made
 */
public record FewShotStrategy(String name, FewShotSettings settings, Als base) implements Strategy {

  static final String TYPE = "few-shot";

  public FewShotStrategy {
    OptionChecks.name(name);
  }

  /** Under the name {@code few-shot}. */
  public static FewShotStrategy of(FewShotSettings settings, Als base) {
    return new FewShotStrategy(TYPE, settings, base);
  }

  @Override
  public FewShotStrategy withSeed(long seed) {
    return new FewShotStrategy(name, settings.withSeed(seed), base.withSeed(seed));
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    if (context.train().interactions().size() == 0) {
      throw new InvalidInputException(
          "strategy '%s' has no interaction to learn from".formatted(name));
    }
    return TensorThreads.call(() -> fitOnTensorThread(context));
  }

  private FittedStrategy fitOnTensorThread(FitContext context) {
    Dataset data = context.train();
    Interactions train = data.interactions();
    FeatureBags features = FeatureBags.of(EntityFeatures.of(data.users()));
    Scope model = Scope.open(context.device());
    try (FittedStrategy als = base.fit(FitContext.of(context.device(), data));
        Scope session = model.child()) {
      float[] vectors = withPopularity(als.dense().orElseThrow().itemVectors(), train);
      int width = base.factors() + 1;
      NDArray given = HostArrays.floats(session.manager(), vectors, train.numItems(), width);
      float[] start = new float[width];
      start[width - 1] = 1;
      FewShotModel learned =
          settings.fit(session, given, start, features, train, context.listener());
      NDArray items = learned.scoreVectors().duplicate();
      model.adopt(items);
      return new FittedFewShot(model, items, FewShotAdapter.of(learned, features));
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** The vectors (I, D) scaled to a root mean square of 1, and log(count + 1) around its mean. */
  private static float[] withPopularity(NDArray itemVectors, Interactions train) {
    float[] vectors = HostArrays.toFloats(itemVectors);
    int[] counts = train.itemCounts();
    int width = vectors.length / counts.length;
    double squares = 0;
    double logs = 0;
    for (float value : vectors) {
      squares += (double) value * value;
    }
    for (int count : counts) {
      logs += Math.log(count + 1.0);
    }
    float scale = squares > 0 ? (float) (1 / Math.sqrt(squares / counts.length)) : 1;
    float[] wider = new float[counts.length * (width + 1)];
    for (int item = 0; item < counts.length; item++) {
      for (int d = 0; d < width; d++) {
        wider[item * (width + 1) + d] = scale * vectors[item * width + d];
      }
      wider[item * (width + 1) + width] =
          (float) (Math.log(counts[item] + 1.0) - logs / counts.length);
    }
    return wider;
  }
}
