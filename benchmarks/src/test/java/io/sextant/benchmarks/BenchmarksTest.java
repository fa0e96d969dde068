package io.sextant.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class BenchmarksTest {

  @Test
  void trainingRunsForEveryPeer() throws RunnerException {
    Collection<RunResult> results =
        new Runner(
                tiny(TrainBenchmark.class)
                    .param("users", "50")
                    .param("items", "40")
                    .param("dimension", "4")
                    .param("batch", "32")
                    .param("steps", "3")
                    .build())
            .run();
    assertThat(results).hasSize(Peer.values().length);
    for (RunResult result : results) {
      assertThat(result.getSecondaryResults()).containsOnlyKeys("examples");
      result.getSecondaryResults().values().forEach(r -> assertThat(r.getScore()).isPositive());
    }
  }

  @Test
  void scoringRunsForEveryPeer() throws RunnerException {
    Collection<RunResult> results =
        new Runner(
                tiny(ScoreBenchmark.class)
                    .param("users", "1", "7")
                    .param("items", "300")
                    .param("dimension", "4")
                    .param("k", "5")
                    .build())
            .run();
    assertThat(results).hasSize(2 * Peer.values().length);
    for (RunResult result : results) {
      assertThat(result.getPrimaryResult().getScore()).isPositive();
    }
  }

  @Test
  void sequencesAndGuidedTrainingRun() throws RunnerException {
    for (Class<?> benchmark : List.of(TrainSequenceBenchmark.class, TrainGuidedBenchmark.class)) {
      Collection<RunResult> results =
          new Runner(
                  tiny(benchmark)
                      .param("users", "50")
                      .param("items", "40")
                      .param("dimension", "8")
                      .param("batch", "16")
                      .param("steps", "4")
                      .build())
              .run();
      assertThat(results).hasSize(benchmark == TrainSequenceBenchmark.class ? 1 : 3);
      for (RunResult result : results) {
        assertThat(result.getSecondaryResults()).containsOnlyKeys("examples");
        result.getSecondaryResults().values().forEach(r -> assertThat(r.getScore()).isPositive());
      }
    }
  }

  @Test
  void evaluationRunsBesideAnEpoch(@TempDir Path folder) throws Exception {
    StringBuilder train = new StringBuilder();
    StringBuilder test = new StringBuilder();
    for (int user = 0; user < 30; user++) {
      train.append(user).append(' ').append(user % 7).append(' ').append(7 + user % 5).append('\n');
      test.append(user).append(' ').append((user + 3) % 7).append('\n');
    }
    Path known = Files.writeString(folder.resolve("train.txt"), train);
    Path wanted = Files.writeString(folder.resolve("test.txt"), test);
    assertThat(EvaluateRun.run(EvaluateRun.split(known, wanted), 4, 16, 2))
        .contains("\"users\": 30, \"items\": 12, \"trainingRows\": 60")
        .contains("\"allowedSeconds\": 10.0, \"within\": true");
    assertThat(EvaluateRun.gowalla(null)).isEmpty();
    assertThat(EvaluateRun.gowalla(folder.toString())).isEmpty();
  }

  @Test
  void weightingTrainsAsManyExamplesAsPlainTraining() {
    try (Weighting weighting = new Weighting(new Sizes(50, 40, 4, 32), 5, Device.cpu())) {
      int examples = weighting.plain().examples();
      assertThat(examples).isEqualTo(5 * 32);
      assertThat(weighting.everyBatch().examples()).isEqualTo(examples);
      assertThat(weighting.everyFourth().examples()).isEqualTo(examples);
    }
  }

  @Test
  void usersAreAdaptedAndAllItemsRankedForThem() {
    try (Adapting adapting = new Adapting(7, 40, 4, 3, Device.cpu())) {
      assertThat(adapting.adapt()).isEqualTo(7);
      assertThat(adapting.score()).hasSize(7 * 40).doesNotContain(Float.NaN);
    }
  }

  @Test
  void anAbsentDeviceFailsAndSaysSo() {
    assertThatThrownBy(
            () -> new Runner(tiny(ScoreBenchmark.class).param("device", "cuda:99").build()).run())
        .hasStackTraceContaining("cuda:99");
  }

  @ParameterizedTest
  @EnumSource(Peer.class)
  void everyPeerLearns(Peer peer) {
    peer.checkThatItLearns(Device.cpu());
  }

  @Test
  void servingRunsInBatchesAndOneByOneWithTheSameLists() {
    try (Serving serving = new Serving(20, 300, 4)) {
      serving.checkThatBothAgree();
      assertThat(serving.batched(4, 40)).isPositive();
      assertThat(serving.oneByOne(4, 40)).isPositive();
    }
  }

  /** The rounds throw where a request of the usual load gets no list. */
  @Test
  void aServiceIsPutUnderLoadFromHere() {
    try (ServedBundle bundle = new ServedBundle(300, 500, 8);
        LoadRun run = new LoadRun(bundle.folder(), 300)) {
      assertThat(run.run(0.3, 1)).contains("\"recoverySeconds\"").contains("200=");
    }
  }

  @Test
  void requestsAreLoggedAtARate() {
    // Fails by itself if a decision is not in the log.
    assertThat(PairedRun.servedLogging(20, 300, 4, 500, 40, 1))
        .contains("\"p99\": {\"unit\": \"microseconds\", \"pairs\": 1, \"logged\": {\"median\": ")
        .contains("\"ratio\": {\"median\": ");
    long[] nanos = new long[200];
    Arrays.setAll(nanos, i -> 1000L * (200 - i));
    assertThat(ServedLogging.Latencies.of(nanos)).isEqualTo(new ServedLogging.Latencies(100, 198));
  }

  /** Where FAISS or hnswlib is not installed, the runs say so. */
  @Test
  void searchesRunBesideTheirPeers() {
    System.setProperty("sextant.peers", "peers");
    assertThat(SearchRun.exact(300, 16, 5, 2, new int[] {1, 8}))
        .containsAnyOf("toFaiss", "skipped");
    try (GraphRun run = new GraphRun(6000, 20, 8, 10)) {
      assertThat(run.graph(0.9, 2)).containsAnyOf("toHnswlib", "skipped");
      assertThat(run.compact(2, new int[] {1, 8})).contains("\"float16\": {\"recall\": 1.0");
    }
  }

  /** Where PyTorch is not installed, the run says so. */
  @Test
  void trainingRunsBesidePyTorch() {
    System.setProperty("sextant.peers", "peers");
    assertThat(TorchRun.run(new Sizes(300, 200, 8, 64), 2))
        .containsAnyOf("\"dense_adam\": {", "skipped");
  }

  /** Each benchmark checks its answers in its set-up; what was measured here is worth nothing. */
  @Test
  void benchmarksRunAndAreCompared(@TempDir Path folder) throws Exception {
    Path result = folder.resolve("results.json");
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(ServeBenchmark.class.getName())
            .include(EvaluateBenchmark.class.getName())
            .include(DecisionLogBenchmark.class.getName())
            .param("users", "200")
            .param("items", "300")
            .param("dimension", "4")
            .param("count", "200")
            .param("candidates", "10")
            .threads(1)
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(2)
            .measurementTime(TimeValue.milliseconds(50))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .resultFormat(ResultFormatType.JSON)
            .result(result.toString());
    assertThat(new Runner(options.build()).run()).hasSize(5);
    Path out = folder.resolve("out");
    CompareRuns.main(
        new String[] {
          result.toString(), "--by", "writer", "SEXTANT", "PLAIN_SQLITE", "--out", out.toString()
        });
    assertThat(Files.readString(out.resolve("compare.txt")))
        .contains("DecisionLogBenchmark.write:decisions");
    assertThat(ImageIO.read(out.resolve("compare.png").toFile()).getWidth()).isEqualTo(1000);
    CompareRuns.main(new String[] {result.toString(), result.toString(), "--out", out.toString()});
    assertThat(Files.readAllLines(out.resolve("compare.txt")).stream().skip(1))
        .hasSize(5)
        .allMatch(line -> line.strip().startsWith("1.000"));
    assertThatThrownBy(() -> CompareRuns.main(new String[] {result.toString()}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("usage");
    assertThatThrownBy(
            () ->
                CompareRuns.main(
                    new String[] {result.toString(), "--by", "writer", "SEXTANT", "NOBODY"}))
        .hasMessageContaining("writer=NOBODY");
  }

  @Test
  void growthIsMeasured() {
    assertThat(MemoryRun.train(2, 60).before()).isPositive();
    assertThat(MemoryRun.score(2, 3).after()).isPositive();
    assertThat(new MemoryRun.Growth(200, 206).percent()).isEqualTo(3);
  }

  @Test
  void whatIsComparedOfAPolicyIsDifferent() {
    try (Mixing mixing = new Mixing(2000, 32, 50, Device.cpu())) {
      int[] gated = mixing.gated().items();
      assertThat(mixing.fixed().items()).hasSameSizeAs(gated).isNotEqualTo(gated);
      assertThat(mixing.rescored().items()).hasSameSizeAs(gated).isNotEqualTo(gated);
    }
  }

  @Test
  void argumentsThatDoNotFitAreAnsweredWithTheUsage() {
    for (String[] args : new String[][] {{}, {"train", "1"}, {"tables", "x"}, {"nothing"}}) {
      assertThatThrownBy(() -> PairedRun.main(args))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("PairedRun tables");
    }
  }

  private static ChainedOptionsBuilder tiny(Class<?> benchmark) {
    return new OptionsBuilder()
        .include(benchmark.getName())
        .forks(0)
        .warmupIterations(0)
        .measurementIterations(1)
        .measurementTime(TimeValue.milliseconds(50))
        .shouldFailOnError(true)
        .verbosity(VerboseMode.SILENT);
  }
}
