package io.sextant.strategy;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReaders;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.tensor.CounterRandom;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the tuned defaults reach on the validation parts of public data: never on their test parts.
 */
@Tag("data")
class NeighboursDataTest {

  private static final int SAMPLE = 4000;

  /** The walks' exponents are what makes the difference (.18 and .22 on all users). */
  @Test
  void walksFindMoreThanTheCosineOnGowalla() {
    Split split = Splitter.perUserRatio(0.1, 0, 1).split(read("gowalla-lightgcn/train.txt.gz"));
    MetricTable walks = evaluate(ItemNeighbours.rp3beta(), split, "recall@20");
    MetricTable cosine = evaluate(ItemNeighbours.cosine(), split, "recall@20");
    assertThat(walks.mean(RankingMetric.parse("recall@20"))).isBetween(0.20, 0.25);
    Interval gain = requireNonNull(walks.differenceTo(cosine, 500, 1).get("recall@20"));
    assertThat(gain.lo()).as("gain %s", gain).isGreaterThan(0.02);
  }

  /** Order is worth a lot, wide transitions more than the next item alone. */
  @Test
  void transitionsFindMoreThanUnorderedNeighboursOnBeauty() {
    Split split = Splitter.leaveOneOut().split(read("s3rec-beauty/Beauty.txt"));
    double unordered = ndcg(ItemNeighbours.rp3beta(), split);
    double ordered = ndcg(ItemNeighbours.rp3beta().ordered(), split);
    double next = ndcg(SessionTransitions.next(), split);
    double wide = ndcg(SessionTransitions.wide(), split);
    double sessions = ndcg(UserNeighbours.sessions(), split);
    assertThat(ordered).isGreaterThan(1.05 * unordered);
    assertThat(next).isGreaterThan(1.05 * unordered);
    assertThat(wide).isGreaterThan(1.05 * next).isBetween(0.060, 0.072);
    assertThat(sessions).isGreaterThan(unordered);
  }

  private static double ndcg(Strategy strategy, Split split) {
    return evaluate(strategy, split, "ndcg@10").mean(RankingMetric.parse("ndcg@10"));
  }

  private static MetricTable evaluate(Strategy strategy, Split split, String metric) {
    Dataset data = Dataset.of(split.train());
    int[] users = Ranker.usersWith(split.validation());
    new CounterRandom(1, "sample", 0).shuffle(users);
    int[] sample = Arrays.copyOf(users, SAMPLE);
    try (Ranker ranker = new Ranker();
        FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), data))) {
      return ranker.evaluate(
          fitted,
          split.train(),
          split.validation(),
          List.of(RankingMetric.parse(metric)),
          sample,
          true);
    }
  }

  private static Interactions read(String name) {
    String data = System.getenv("SEXTANT_DATA");
    assumeTrue(data != null, "SEXTANT_DATA is not set to the folder with the data sets");
    Path file = Path.of(data).resolve(name);
    assumeTrue(Files.exists(file), () -> file + " is not there");
    return new EventCleaner(CleaningOptions.defaults())
        .clean(EventReaders.open(file, EventFormat.LISTS, ColumnMapping.DEFAULT))
        .interactions();
  }
}
