package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReaders;
import io.sextant.data.Interactions;
import io.sextant.eval.RatingMetrics;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedTwoTower;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.tensor.CounterRandom;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Schedule;
import io.sextant.train.TrainingOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Ratings of MovieLens-100k by five-fold cross-validation, as root mean squared and mean absolute
 * error.
 *
 * @param data folder of the data set
 * @param seed of every random draw
 * @param validateOnly whether only the first fold's validation part is looked at
 */
record RatingProtocol(Path data, long seed, boolean validateOnly) {

  private static final int FOLDS = 5;
  private static final float LOWEST = 1;
  private static final float HIGHEST = 5;

  Map<String, Object> run(Device device) {
    Interactions all =
        new EventCleaner(CleaningOptions.defaults())
            .clean(
                EventReaders.open(
                    data.resolve("ml-100k.inter"), EventFormat.TSV, ColumnMapping.DEFAULT))
            .interactions();
    int[] order = new int[all.size()];
    Arrays.setAll(order, i -> i);
    new CounterRandom(seed, "folds", 0).shuffle(order);
    int[] foldOf = new int[order.length];
    boolean[] stops = new boolean[order.length];
    for (int i = 0; i < order.length; i++) {
      foldOf[order[i]] = i % FOLDS;
      stops[order[i]] = i / FOLDS % 20 == 0;
    }
    double rmse = 0;
    double mae = 0;
    int folds = validateOnly ? 1 : FOLDS;
    for (int f = 0; f < folds; f++) {
      int fold = f;
      Interactions train = all.filter(row -> foldOf[row] != fold && !stops[row]);
      Interactions validation = all.filter(row -> foldOf[row] != fold && stops[row]);
      Interactions test = validateOnly ? validation : all.filter(row -> foldOf[row] == fold);
      try (ConsoleListener listener = new ConsoleListener("fold " + (fold + 1));
          FittedTwoTower fitted =
              model()
                  .fit(
                      FitContext.of(device, Dataset.of(train))
                          .withValidation(validation)
                          .withListener(listener))) {
        float[] observed = new float[test.size()];
        for (int row = 0; row < observed.length; row++) {
          observed[row] = test.valueAt(row);
        }
        float[] predicted = fitted.predict(train, test);
        for (int row = 0; row < predicted.length; row++) {
          predicted[row] = Math.max(LOWEST, Math.min(HIGHEST, predicted[row]));
        }
        RatingMetrics metrics = RatingMetrics.of(predicted, observed);
        rmse += metrics.rmse() / folds;
        mae += metrics.mae() / folds;
      }
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put(
        "strategies",
        Map.of("two-tower", Map.of("rmse", Map.of("value", rmse), "mae", Map.of("value", mae))));
    result.put(
        "published",
        Map.of(
            "baseline", Map.of("rmse", .944, "mae", .748),
            "SVD", Map.of("rmse", .934, "mae", .737),
            "SVD++", Map.of("rmse", .919, "mae", .721)));
    return result;
  }

  /** Biased matrix factorisation with the implicit feedback of SVD++ (Koren, KDD 2008). */
  private TwoTowerStrategy model() {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder()
            .dimension(32)
            .biases(true)
            .history(TwoTowerOptions.History.OWN)
            .historyLength(300)
            .historyPower(0.5f)
            .initStd(0.02f)
            .build(),
        SamplingOptions.builder()
            .objective(Objective.SQUARED_ERROR)
            .history(SamplingOptions.HistoryView.OTHERS)
            .build(),
        TrainingOptions.builder()
            .epochs(30)
            .batchSize(512)
            .userLearningRate(0.03f)
            .itemLearningRate(0.03f)
            .l2(0.05f)
            .schedule(Schedule.LINEAR)
            .patience(5)
            .seed(seed)
            .build());
  }
}
