package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReader;
import io.sextant.data.EventReaders;
import io.sextant.data.Split;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedTwoTower;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Schedule;
import io.sextant.train.TrainingOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What evaluation by full ranking costs beside an epoch of training, on Gowalla: the two-tower
 * model of the recipe {@code social} is trained for one epoch and all users are ranked, in turns.
 */
final class EvaluateRun {

  private static final RankingMetric METRIC = RankingMetric.ndcg(20);

  /** What evaluation may cost: so large a share of an epoch, or so many seconds. */
  private static final double SHARE = 0.2;

  private static final double SECONDS = 10;

  private EvaluateRun() {}

  /** The folder of Gowalla below that of the data sets, or nothing where it is absent. */
  static Optional<Path> gowalla(@Nullable String dataSets) {
    return Optional.ofNullable(dataSets)
        .map(folder -> Path.of(folder).resolve("gowalla-lightgcn"))
        .filter(folder -> Files.exists(folder.resolve("train.txt.gz")));
  }

  /** The figures as JSON, or why there are none. */
  static String run(int dimension, int batch, int rounds) {
    return gowalla(System.getenv("SEXTANT_DATA"))
        .map(
            folder ->
                run(
                    split(folder.resolve("train.txt.gz"), folder.resolve("test.txt")),
                    dimension,
                    batch,
                    rounds))
        .orElse(
            "\"skipped\": \"SEXTANT_DATA names no folder of data sets with gowalla-lightgcn in it\"");
  }

  static Split split(Path train, Path test) {
    return new EventCleaner(CleaningOptions.defaults())
        .cleanSplit(lists(train), null, lists(test))
        .split();
  }

  private static EventReader lists(Path file) {
    return EventReaders.open(file, EventFormat.LISTS, ColumnMapping.DEFAULT);
  }

  /** The first round is for the Java compiler and does not count. */
  static String run(Split split, int dimension, int batch, int rounds) {
    double[] epochs = new double[rounds];
    double[] evaluations = new double[rounds];
    int users = 0;
    double ndcg = 0;
    try (Ranker ranker = new Ranker()) {
      for (int round = -1; round < rounds; round++) {
        try (FittedTwoTower fitted = epoch(split, dimension, batch, round + 2)) {
          double rate = fitted.trainingResult().orElseThrow().examplesPerSecond();
          long start = System.nanoTime();
          MetricTable table = ranker.evaluate(fitted, split.train(), split.test(), List.of(METRIC));
          double seconds = (System.nanoTime() - start) / 1e9;
          users = table.numUsers();
          ndcg = table.mean(METRIC);
          if (round >= 0) {
            epochs[round] = split.train().size() / rate;
            evaluations[round] = seconds;
          }
        }
      }
    }
    double allowed = Math.max(SECONDS, SHARE * Spread.of(epochs).median());
    return String.format(
        Locale.ROOT,
        "\"users\": %d, \"items\": %d, \"trainingRows\": %d, \"dimension\": %d, \"batch\": %d,"
            + " \"rounds\": %d, \"%s\": %.4f, \"epochSeconds\": %s, \"evaluationSeconds\": %s,"
            + " \"evaluationToEpoch\": %s, \"allowedSeconds\": %.1f, \"within\": %b",
        users,
        split.train().numItems(),
        split.train().size(),
        dimension,
        batch,
        rounds,
        METRIC,
        ndcg,
        Spread.of(epochs),
        Spread.of(evaluations),
        Spread.ofRatios(evaluations, epochs),
        allowed,
        Spread.of(evaluations).median() <= allowed);
  }

  private static FittedTwoTower epoch(Split split, int dimension, int batch, long seed) {
    TrainingOptions training =
        TrainingOptions.builder()
            .epochs(1)
            .batchSize(batch)
            .userLearningRate(0.3f)
            .itemLearningRate(0.3f)
            .l2(0.2f)
            .schedule(Schedule.LINEAR)
            .patience(0)
            .seed(seed)
            .build();
    return (FittedTwoTower)
        TwoTowerStrategy.of(
                TwoTowerOptions.builder().dimension(dimension).initStd(0.1f).build(),
                SamplingOptions.builder().negatives(512).build(),
                training)
            .fit(FitContext.of(Device.cpu(), Dataset.of(split.train())));
  }
}
