package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.data.Dataset;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.feedback.Decision;
import io.sextant.feedback.DecisionLog;
import io.sextant.feedback.ExposureEstimator;
import io.sextant.feedback.GateOptions;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.Outcome;
import io.sextant.feedback.PromotionDecision;
import io.sextant.feedback.PromotionGate;
import io.sextant.feedback.PromotionJournal;
import io.sextant.feedback.RewardRule;
import io.sextant.feedback.ServedLog;
import io.sextant.feedback.SlateEvidence;
import io.sextant.feedback.SqliteDecisionLog;
import io.sextant.store.BundleWriter;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Popularity;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Scope;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole loop in one service: what is popular at first is not what users click; what they do is
 * logged, learned from, evaluated, promoted and served.
 */
@Timeout(120)
class ServedLoopTest {

  private static final int USERS = 300;
  private static final int ITEMS = 16;
  private static final int SLOTS = 4;
  private static final RewardRule CLICK = RewardRule.happened(EventType.CLICK, 60_000);

  @TempDir private Path folder = Path.of("");

  /** The later items are clicked most. */
  private static double appeal(String item) {
    return 0.05 + 0.5 * Integer.parseInt(item.substring(1)) / ITEMS;
  }

  /** A bundle of popularity, from how much each item counts. */
  private Path bundle(String name, double[] counts) {
    IdIndex users = IdIndex.of(FakeModel.ids("u", USERS));
    IdIndex items = IdIndex.of(FakeModel.ids("i", ITEMS));
    Interactions.Builder rows = Interactions.builder(users, items);
    for (int item = 0; item < ITEMS; item++) {
      if (counts[item] > 0) {
        rows.add(
            0,
            item,
            EventType.CLICK,
            Float.NaN,
            (float) counts[item],
            item,
            InteractionFeatures.UNKNOWN);
      }
    }
    Path directory = folder.resolve(name);
    try (FittedStrategy fitted =
        Popularity.allTime().fit(FitContext.of(Device.cpu(), Dataset.of(rows.build())))) {
      new BundleWriter()
          .strategy("popularity", fitted.type(), fitted.configJson(), fitted.tensors())
          .users(FakeModel.ids("u", USERS))
          .items(FakeModel.ids("i", ITEMS))
          .write(directory);
    }
    return directory;
  }

  private static RecommenderOptions options(DecisionLog log) {
    return RecommenderOptions.builder()
        .timeout(Duration.ofSeconds(30))
        .decisions(
            new DecisionLogging(log, DecisionLogging.Exploration.STRATIFIED, ITEMS, 5, 0.3, true))
        .build();
  }

  /** Serves users and clicks as they would; the mean appeal of what was shown. */
  private static double serve(Recommender recommender, int from, int count) {
    double sum = 0;
    String lastDecision = "";
    String lastItem = "";
    List<CompletableFuture<Void>> written = new ArrayList<>();
    for (int i = from; i < from + count; i++) {
      Recommendations list =
          recommender.recommend(RecommendationRequest.forUser("u" + i % USERS).k(SLOTS).build());
      lastDecision = String.valueOf(list.decisionId());
      lastItem = list.itemIds().get(0);
      CounterRandom random = new CounterRandom(5, "clicks", i);
      for (String item : list.itemIds()) {
        sum += appeal(item) / SLOTS / count;
        if (random.nextDouble() < appeal(item)) {
          written.add(
              recommender.outcome(
                  Outcome.of(
                      String.valueOf(list.decisionId()),
                      item,
                      EventType.CLICK,
                      System.currentTimeMillis())));
        }
      }
    }
    // The log writes in order: when this view of the last list is there, all before it is.
    written.add(
        recommender.outcome(
            Outcome.of(lastDecision, lastItem, EventType.VIEW, System.currentTimeMillis())));
    written.forEach(CompletableFuture::join);
    return sum;
  }

  private static List<LoggedDecision> read(DecisionLog log) {
    // An hour later, all that counts has come.
    return ServedLog.mature(log, CLICK, 0, System.currentTimeMillis() + 3_600_000);
  }

  private static int part(Decision decision) {
    return new StickyBuckets("learn", 0.5).contain(String.valueOf(decision.userId())) ? 0 : 1;
  }

  /** Clicks by exposure: those of part 0, each by the probability with which the item was shown. */
  private static double[] learned(List<LoggedDecision> log) {
    double[] counts = new double[ITEMS];
    for (LoggedDecision logged : log) {
      if (part(logged.decision()) == 0) {
        for (int index : logged.decision().slate()) {
          Decision.Candidate shown = logged.decision().candidates().get(index);
          counts[Integer.parseInt(shown.itemId().substring(1))] +=
              CLICK.of(logged, shown.itemId()) / shown.propensity();
        }
      }
    }
    return counts;
  }

  @Test
  void servesLogsLearnsEvaluatesPromotesAndServes() {
    long scopes = Scope.liveScopes();
    double[] misleading = IntStream.range(0, ITEMS).mapToDouble(i -> 40 - i).toArray();
    Path first = bundle("first", misleading);
    PromotionJournal journal = PromotionJournal.open(folder.resolve("journal"));
    try (DecisionLog log = SqliteDecisionLog.open(folder.resolve("log"));
        Recommender recommender = Recommender.open(first, options(log))) {
      Rollout rollout = new Rollout(recommender, journal);
      final String firstVersion = recommender.modelVersion();
      final double before = serve(recommender, 0, 1500);

      List<LoggedDecision> logged = read(log);
      assertThat(logged).hasSize(1500);
      assertThat(logged).allMatch(d -> d.decision().policyVersion().equals(firstVersion));
      Path second = bundle("second", learned(logged));
      String secondVersion = Rollout.versionOf(second);
      assertThat(secondVersion).isNotEqualTo(firstVersion);

      PromotionDecision verdict = judge(recommender, second, secondVersion, logged);
      assertThat(verdict.promoted()).as(verdict.reason()).isTrue();
      // The way back is not.
      try (Recommender better = Recommender.open(second, RecommenderOptions.defaults())) {
        PromotionDecision worse = judge(better, first, firstVersion, logged);
        assertThat(worse.outcome()).isEqualTo(PromotionDecision.Outcome.NOT_BETTER);
        assertThat(rollout.judged(first, worse, 1)).isFalse();
      }
      assertThat(recommender.canaryVersion()).isEmpty();
      assertThatThrownBy(() -> rollout.judged(first, verdict, 1))
          .hasMessageContaining("the gate has judged " + secondVersion);

      assertThat(rollout.judged(second, verdict, 0.5)).isTrue();
      serve(recommender, 2000, USERS);
      Set<String> versions = new HashSet<>();
      StickyBuckets buckets = new StickyBuckets(secondVersion, 0.5);
      for (LoggedDecision one : read(log).subList(1500, 1500 + USERS)) {
        String user = String.valueOf(one.decision().userId());
        assertThat(one.decision().policyVersion())
            .isEqualTo(buckets.contain(user) ? secondVersion : firstVersion);
        assertThat(one.decision().baselineVersion()).isEqualTo(firstVersion);
        versions.add(one.decision().policyVersion());
      }
      assertThat(versions).containsExactlyInAnyOrder(firstVersion, secondVersion);

      rollout.complete("the canary did well");
      double after = serve(recommender, 4000, 500);
      assertThat(recommender.modelVersion()).isEqualTo(secondVersion);
      assertThat(after).isGreaterThan(before + 0.05);
      List<LoggedDecision> all = read(log);
      assertThat(all.get(all.size() - 1).decision().policyVersion()).isEqualTo(secondVersion);
      assertThat(all.get(all.size() - 1).decision().baselineVersion()).isEqualTo(secondVersion);

      rollout.rollBack("for the test");
      assertThat(recommender.modelVersion()).isEqualTo(firstVersion);
      assertThatThrownBy(() -> rollout.stop("none")).hasMessageContaining("no canary");
      List<PromotionJournal.Entry> steps = PromotionJournal.open(folder.resolve("journal")).read();
      assertThat(steps)
          .extracting(PromotionJournal.Entry::step)
          .containsExactly(
              PromotionJournal.Step.JUDGED,
              PromotionJournal.Step.JUDGED,
              PromotionJournal.Step.CANARY_STARTED,
              PromotionJournal.Step.PROMOTED,
              PromotionJournal.Step.ROLLED_BACK);
      assertThat(steps)
          .extracting(PromotionJournal.Entry::serving)
          .containsExactly(firstVersion, firstVersion, firstVersion, secondVersion, firstVersion);
      assertThat(steps.get(1).decision()).isEqualTo(verdict);
      assertThat(journal.looks(secondVersion)).isEqualTo(1);
    }
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  private static PromotionDecision judge(
      Recommender incumbent, Path candidate, String version, List<LoggedDecision> logged) {
    ExposureEstimator estimator = new ExposureEstimator(new double[] {1, 1, 1, 1}, CLICK);
    try (Recommender beside = Recommender.open(candidate, RecommenderOptions.defaults())) {
      SlateEvidence evidence =
          new SlateEvidence(
              estimator.best(logged, beside.scorer(), null),
              estimator.best(logged, incumbent.scorer(), null),
              logged.stream().mapToInt(d -> part(d.decision())).toArray(),
              Set.of(0));
      return new PromotionGate(GateOptions.defaults().withFloors(300, 30, 0))
          .decide(version, incumbent.modelVersion(), 1, evidence);
    }
  }
}
