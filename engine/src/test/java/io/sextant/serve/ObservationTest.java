package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sextant.InvalidInputException;
import io.sextant.RecommendationRequest;
import io.sextant.observe.MicrometerMetrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a recommender tells metrics and flight recorder. */
@Timeout(60)
class ObservationTest {

  @TempDir Path folder;

  private final Queue<FakeModel> models = new ConcurrentLinkedQueue<>();

  private Recommender open(RecommenderOptions options) {
    return Recommender.open(
        FakeModel.write(folder.resolve("a"), 1), options, FakeModel.loader(models, users -> {}));
  }

  @Test
  void everyRequestIsCountedOnceByItsOutcome() {
    MeterRegistry registry = new SimpleMeterRegistry();
    RecommenderOptions options =
        RecommenderOptions.builder()
            .timeout(Duration.ofSeconds(30))
            .metrics(new MicrometerMetrics(registry))
            .build();
    try (Recommender recommender = open(options)) {
      for (int i = 0; i < 5; i++) {
        recommender.recommend(RecommendationRequest.forUser("u1").build());
        recommender.recommendAsync(RecommendationRequest.forUser("u1").build()).join();
      }
      assertThatThrownBy(
              () -> recommender.recommend(RecommendationRequest.forUser("u1").k(2000).build()))
          .isInstanceOf(InvalidInputException.class);
      recommender.recordEvent("u1", "i1");
      recommender.swap(FakeModel.write(folder.resolve("b"), 2));
      assertThatThrownBy(() -> recommender.swap(folder.resolve("nowhere")))
          .isInstanceOf(InvalidInputException.class);
      assertThat(requests(registry, "served")).isEqualTo(10);
      assertThat(requests(registry, "invalid")).isEqualTo(1);
      assertThat(registry.find("sextant.model").gauges())
          .hasSize(1)
          .allMatch(g -> recommender.modelVersion().equals(g.getId().getTag("version")));
      assertThat(registry.get("sextant.swaps").tag("result", "refused").counter().count())
          .isEqualTo(1);
      assertThat(registry.get("sextant.events").counter().count()).isEqualTo(1);
    }
    // The batch's end is reported behind its answers, but before the worker ends.
    assertThat(registry.get("sextant.batch.size").summary().totalAmount()).isEqualTo(10);
  }

  private static long requests(MeterRegistry registry, String outcome) {
    return registry.get("sextant.requests").tag("outcome", outcome).timer().count();
  }

  @Test
  void flightRecorderSeesBatchesRequestsAndSwaps() throws Exception {
    Path file = folder.resolve("r.jfr");
    try (Recording recording = new Recording()) {
      recording.enable("sextant.Request").withThreshold(Duration.ZERO);
      recording.enable("sextant.Batch");
      recording.enable("sextant.Swap");
      recording.start();
      String version;
      try (Recommender recommender = open(RecommenderOptions.defaults())) {
        recommender.recommend(RecommendationRequest.forUser("u1").build());
        version = recommender.swap(FakeModel.write(folder.resolve("b"), 2));
        assertThatThrownBy(() -> recommender.swap(folder.resolve("nowhere")))
            .isInstanceOf(InvalidInputException.class);
      }
      recording.stop();
      recording.dump(file);
      List<RecordedEvent> events = RecordingFile.readAllEvents(file);
      assertThat(events)
          .filteredOn(e -> e.getEventType().getName().equals("sextant.Request"))
          .hasSize(1)
          .allMatch(e -> e.getString("outcome").equals("SERVED"));
      assertThat(events)
          .filteredOn(e -> e.getEventType().getName().equals("sextant.Batch"))
          .hasSize(1)
          .allMatch(e -> e.getInt("size") == 1);
      assertThat(events)
          .filteredOn(e -> e.getEventType().getName().equals("sextant.Swap"))
          .extracting(e -> e.getString("version"))
          .containsExactly(version, "");
    }
  }
}
