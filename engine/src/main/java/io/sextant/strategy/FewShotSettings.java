package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.nn.FeatureBags;
import io.sextant.nn.FewShotModel;
import io.sextant.nn.FewShotOptions;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Scope;
import io.sextant.train.FewShotTask;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingOptions;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How users whom training has not seen are adapted to, and how that is learned: over episodes of
 * the training users, of whom a tenth stops the training.
 *
 * @param adaptation the steps
 * @param training how they are learned: an epoch is one episode of each user; tuned item vectors
 *     move by the item learning rate, the users' features by the user learning rate, all else by
 *     the learning rate
 */
public record FewShotSettings(FewShotOptions adaptation, TrainingOptions training) {

  private static final int HELD_OUT = 10;
  private static final int[] JUDGED = {0, 1, 3, 5, 10};

  /** The steps with training options that suit most data. */
  public static FewShotSettings of(FewShotOptions adaptation) {
    return new FewShotSettings(
        adaptation,
        TrainingOptions.builder()
            .epochs(60)
            .batchSize(64)
            .learningRate(3e-3f)
            .userLearningRate(3e-3f)
            .itemLearningRate(1e-3f)
            .patience(5)
            .build());
  }

  /** The same with another seed. */
  public FewShotSettings withSeed(long seed) {
    return new FewShotSettings(adaptation, training.withSeed(seed));
  }

  /**
   * Learns to adapt over given item vectors.
   *
   * @param session the lifetime of the model
   * @param itemVectors (I, D)
   * @param start (D) where users start
   */
  FewShotModel fit(
      Scope session,
      NDArray itemVectors,
      float[] start,
      FeatureBags features,
      Interactions train,
      TrainingListener listener) {
    int[] users =
        IntStream.range(0, train.numUsers()).filter(u -> train.seenOf(u).length > 1).toArray();
    if (users.length < 2) {
      throw new InvalidInputException(
          "few-shot adaptation is learned from users with at least 2 different items but there are %d: give more data or leave it out"
              .formatted(users.length));
    }
    new CounterRandom(training.seed(), "few-shot-held-out", 0).shuffle(users);
    int held = Math.max(1, users.length / HELD_OUT);
    FewShotModel model =
        new FewShotModel(session, itemVectors, start, features, negatives(train), adaptation);
    FewShotTask task =
        new FewShotTask(
            model, train, features, Arrays.copyOfRange(users, held, users.length), training.seed());
    FewShotTask judge =
        new FewShotTask(model, train, features, Arrays.copyOf(users, held), training.seed());
    int[] judged = Arrays.stream(JUDGED).filter(n -> n <= adaptation.maxEvents()).toArray();
    new Trainer(training, List.of(), listener, null)
        .train(session, task, judge.validation(session, judged));
    return model;
  }

  /** Distinct items, drawn with a probability proportional to the root of their counts plus one. */
  private int[] negatives(Interactions train) {
    int[] counts = train.itemCounts();
    int wanted = Math.min(adaptation.negatives(), counts.length);
    CounterRandom random = new CounterRandom(training.seed(), "few-shot-negatives", 0);
    double[] keys = new double[counts.length];
    for (int i = 0; i < keys.length; i++) {
      // The smallest of exponential times are a weighted sample without replacement.
      keys[i] = -Math.log1p(-random.nextDouble()) / Math.sqrt(counts[i] + 1.0);
    }
    return IntStream.range(0, keys.length)
        .boxed()
        .sorted((a, b) -> Double.compare(keys[a], keys[b]))
        .limit(wanted)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }
}
