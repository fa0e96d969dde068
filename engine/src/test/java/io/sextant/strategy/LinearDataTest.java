package io.sextant.strategy;

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
import io.sextant.eval.RankingMetric;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the linear strategies reach on a validation part of MovieLens-1M: never on its test part.
 * Bounds leave room for another random split.
 */
@Tag("data")
class LinearDataTest {

  private static final RankingMetric RECALL = RankingMetric.parse("recall@20");

  @Test
  void movielens() {
    Split split = Splitter.perUserRatio(0.11, 0, 5).split(read("ml-1m/ultragcn-split/train.txt"));
    double als = recall(Als.builder().factors(64).unobservedWeight(0.1).l2(0.01).build(), split);
    double ease = recall(Ease.builder().l2(1000).build(), split);
    double svd = recall(LowPass.builder().factors(64).neighbours(0).build(), split);
    double popularity = recall(Popularity.allTime(), split);
    assertThat(als).isBetween(0.24, 0.27);
    assertThat(ease).isBetween(0.235, 0.26);
    assertThat(svd).isBetween(0.23, 0.255);
    assertThat(popularity).isLessThan(0.15);
  }

  private static double recall(Strategy strategy, Split split) {
    try (FittedStrategy fitted =
            strategy.fit(FitContext.of(Device.cpu(), Dataset.of(split.train())));
        Ranker ranker = new Ranker()) {
      return ranker
          .evaluate(fitted, split.train(), split.validation(), List.of(RECALL))
          .mean(RECALL);
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
