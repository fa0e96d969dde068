package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sextant.Diversity;
import io.sextant.Eligibility;
import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.feedback.Decision;
import io.sextant.feedback.DecisionLog;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.Outcome;
import io.sextant.feedback.SlateExploration;
import io.sextant.feedback.SqliteDecisionLog;
import io.sextant.meta.DecidedLists;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.ServableModel;
import io.sextant.observe.MicrometerMetrics;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.store.ModelBundle;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DecisionLoggingTest {

  private static final MetaOptions ANOTHER =
      MetaOptions.builder()
          .k(5)
          .candidates(25)
          .poolDepth(8)
          .hidden(4)
          .epochs(5)
          .patience(0)
          .build();

  @TempDir private Path folder = Path.of("");

  private final Queue<FakeModel> models = new ConcurrentLinkedQueue<>();

  private Recommender open(RecommenderOptions.Builder options) {
    return Recommender.open(
        FakeModel.write(folder.resolve("a"), 1),
        options.timeout(Duration.ofSeconds(30)).build(),
        FakeModel.loader(models, users -> {}));
  }

  private static RecommenderOptions.Builder logging(DecisionLogging decisions) {
    return RecommenderOptions.builder().decisions(decisions);
  }

  private static List<LoggedDecision> all(DecisionLog log) {
    List<LoggedDecision> all = new ArrayList<>();
    log.read(0, Long.MAX_VALUE, all::add);
    return all;
  }

  /** Keeps what it is given, or does what it is told instead. */
  private static class MemoryLog implements DecisionLog {
    final List<Decision> decisions = new ArrayList<>();

    @Override
    public CompletableFuture<Void> record(Decision decision) {
      decisions.add(decision);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> record(Outcome outcome) {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void read(long from, long to, Consumer<LoggedDecision> consumer) {
      decisions.forEach(d -> consumer.accept(new LoggedDecision(d, List.of())));
    }

    @Override
    public long orphans() {
      return 0;
    }

    @Override
    public Removed forget(String userId) {
      return new Removed(0, 0);
    }

    @Override
    public Removed expire(long beforeMillis) {
      return new Removed(0, 0);
    }

    @Override
    public void close() {}
  }

  @Test
  void whatIsLoggedIsWhatWasShownAndCanBeDrawnAgain() {
    for (DecisionLogging.Exploration kind : DecisionLogging.Exploration.values()) {
      MemoryLog log = new MemoryLog();
      DecisionLogging logging = new DecisionLogging(log, kind, 20, 0.05, 0.2, true);
      try (Recommender recommender = open(logging(logging))) {
        int explored = 0;
        for (int i = 0; i < 20; i++) {
          RecommendationRequest request = RecommendationRequest.forUser("u" + i).k(4).build();
          Recommendations list = recommender.recommend(request);
          Decision decision = log.decisions.get(i);
          assertThat(list.decisionId()).isEqualTo(decision.id());
          assertThat(decision.userId()).isEqualTo("u" + i);
          assertThat(decision.policyVersion()).isEqualTo(recommender.modelVersion());
          assertThat(decision.candidates()).hasSize(20);
          List<String> shown = new ArrayList<>();
          for (int index : decision.slate()) {
            shown.add(decision.candidates().get(index).itemId());
          }
          assertThat(list.itemIds()).isEqualTo(shown);
          double[] scores =
              decision.candidates().stream()
                  .mapToDouble(c -> c.scores()[c.scores().length - 1])
                  .toArray();
          SlateExploration exploration = logging.of(4);
          assertThat(exploration.draw(scores, decision.seed(), 0).items())
              .containsExactly(decision.slate());
          double[] exact = exploration.propensities(scores, decision.slate());
          for (int slot = 0; slot < 4; slot++) {
            assertThat(decision.candidates().get(decision.slate()[slot]).propensity())
                .isCloseTo(exact[slot], within(1e-12));
          }
          explored += decision.slate()[3] == 3 ? 0 : 1;
        }
        if (kind == DecisionLogging.Exploration.NONE) {
          assertThat(explored).isZero();
        } else {
          assertThat(explored).isBetween(1, 20);
        }
      }
    }
  }

  @Test
  void requestsSayWhetherTheyAreLogged() {
    MemoryLog log = new MemoryLog();
    RecommendationRequest plain = RecommendationRequest.forUser("u1").k(3).build();
    RecommendationRequest asked = RecommendationRequest.forUser("u1").k(3).log(true).build();
    RecommendationRequest off = RecommendationRequest.forUser("u1").k(3).log(false).build();
    try (Recommender recommender = open(logging(DecisionLogging.greedy(log).onRequest()))) {
      Recommendations unlogged = recommender.recommend(plain);
      assertThat(unlogged.decisionId()).isNull();
      assertThat(recommender.recommend(asked).itemIds()).isEqualTo(unlogged.itemIds());
      assertThat(recommender.recommendAsync(asked).join().decisionId()).isNotNull();
      assertThat(log.decisions).hasSize(2);
    }
    try (Recommender recommender = open(logging(DecisionLogging.greedy(log)))) {
      assertThat(recommender.recommend(off).decisionId()).isNull();
      recommender.explain(plain);
      assertThat(
              recommender
                  .recommend(RecommendationRequest.forUser("u1").k(3).parts(true).build())
                  .decisionId())
          .isNull();
      assertThat(log.decisions).hasSize(2);
      assertThat(recommender.recommend(plain).decisionId()).isNotNull();
    }
    try (Recommender recommender = open(RecommenderOptions.builder())) {
      assertThatThrownBy(() -> recommender.recommend(asked))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("there is no log");
      assertThatThrownBy(() -> recommender.outcome(Outcome.of("d", "i", EventType.CLICK, 1)))
          .hasMessageContaining("needs a log");
    }
    assertThatThrownBy(() -> RecommendationRequest.forUser("u1").parts(true).log(true).build())
        .hasMessageContaining("is not logged");
    assertThatThrownBy(
            () -> new DecisionLogging(log, DecisionLogging.Exploration.NONE, 9, 0, 0, true))
        .hasMessageContaining("temperature must be > 0");
  }

  @Test
  void variedListsAreLoggedAsTheyAre() {
    MemoryLog log = new MemoryLog();
    RecommendationRequest.Builder varied =
        RecommendationRequest.forUser("u1").k(5).diversity(Diversity.marginalRelevance(0.5));
    List<String> expected;
    try (Recommender recommender = open(RecommenderOptions.builder())) {
      expected = recommender.recommend(varied.build()).itemIds();
    }
    try (Recommender recommender = open(logging(DecisionLogging.stratified(log, 1)))) {
      assertThat(recommender.recommend(varied.build()).itemIds()).isEqualTo(expected);
    }
    Decision decision = log.decisions.get(0);
    for (int i = 0; i < decision.candidates().size(); i++) {
      int index = i;
      boolean shown = java.util.Arrays.stream(decision.slate()).anyMatch(s -> s == index);
      assertThat(decision.candidates().get(i).propensity()).isEqualTo(shown ? 1 : 0);
    }
  }

  @Test
  void aLogThatIsFullOrStuckHoldsUpNobody() {
    MeterRegistry registry = new SimpleMeterRegistry();
    List<CompletableFuture<Void>> waiting = new ArrayList<>();
    MemoryLog log =
        new MemoryLog() {
          @Override
          public CompletableFuture<Void> record(Decision decision) {
            if (waiting.size() == 3) {
              throw new OverloadedException("full", Duration.ofMillis(1));
            }
            waiting.add(new CompletableFuture<>());
            return waiting.get(waiting.size() - 1);
          }
        };
    RecommenderOptions.Builder options =
        logging(DecisionLogging.greedy(log)).metrics(new MicrometerMetrics(registry));
    RecommendationRequest request = RecommendationRequest.forUser("u1").build();
    try (Recommender recommender = open(options)) {
      // Nothing is ever durable here, and everybody is answered.
      for (int i = 0; i < 3; i++) {
        assertThat(recommender.recommend(request).decisionId()).isNotNull();
      }
      for (int i = 0; i < 4; i++) {
        Recommendations list = recommender.recommend(request);
        assertThat(list.decisionId()).isNull();
        assertThat(list.items()).hasSize(10);
      }
      waiting.get(0).completeExceptionally(new IllegalStateException("disk"));
    }
    assertThat(decisions(registry, "logged")).isEqualTo(3);
    assertThat(decisions(registry, "refused")).isEqualTo(4);
    assertThat(decisions(registry, "failed")).isEqualTo(1);
  }

  private static double decisions(MeterRegistry registry, String result) {
    return registry.get("sextant.decisions").tag("result", result).counter().count();
  }

  @Test
  void outcomesJoinAndUsersAreForgotten() {
    try (DecisionLog log = SqliteDecisionLog.open(folder.resolve("log"));
        Recommender recommender = open(logging(DecisionLogging.stratified(log, 0.1)))) {
      Recommendations list = recommender.recommend(RecommendationRequest.forUser("u1").build());
      recommender.recommend(RecommendationRequest.forUser("u2").build());
      String id = String.valueOf(list.decisionId());
      String item = list.itemIds().get(2);
      recommender.outcome(Outcome.of(id, item, EventType.CLICK, 5)).join();
      recommender.outcome(Outcome.of(id, item, EventType.CLICK, 5)).join();
      List<LoggedDecision> logged = all(log);
      assertThat(logged).hasSize(2);
      LoggedDecision first =
          logged.stream().filter(d -> d.decision().id().equals(id)).findFirst().orElseThrow();
      assertThat(first.outcomes()).extracting(Outcome::itemId).containsExactly(item);
      assertThat(log.forget("u1")).isEqualTo(new DecisionLog.Removed(1, 1));
      assertThat(all(log)).extracting(d -> d.decision().userId()).containsExactly("u2");
      assertThat(log.expire(Long.MAX_VALUE)).isEqualTo(new DecisionLog.Removed(1, 0));
      assertThat(all(log)).isEmpty();
    }
  }

  /** Stored and given items, and what no model knows, as ids; without what is there twice. */
  @Test
  void historiesAreLoggedAsTheModelSawThem() {
    MemoryLog log = new MemoryLog();
    Path bundle = ServedBundles.policy(folder.resolve("policy"), 1);
    int[] stored = ServedBundles.walks(1).historyOf(4);
    List<String> whole = Arrays.stream(stored).mapToObj(i -> "i" + i).toList();
    String last = whole.get(whole.size() - 1);
    RecommendationRequest known = RecommendationRequest.forUser("u4").build();
    try (Recommender recommender =
        Recommender.open(bundle, logging(DecisionLogging.greedy(log)).build())) {
      recommender.recommend(known);
      for (String item : List.of("unheard of", last, "unheard of", "i3", "nor this")) {
        recommender.recordEvent("u4", item);
      }
      recommender.recommend(known);
      recommender.recommend(RecommendationRequest.forHistory(List.of("i1", "what", "i1")).build());
    }
    assertThat(log.decisions.get(0).history()).isEqualTo(Decision.History.of(whole));
    List<String> grown = new ArrayList<>(whole);
    grown.addAll(List.of("unheard of", "i3", "nor this"));
    assertThat(log.decisions.get(1).history()).isEqualTo(Decision.History.of(grown));
    assertThat(log.decisions.get(2).history())
        .isEqualTo(Decision.History.of(List.of("i1", "what", "i1")));
    assertThat(log.decisions).allMatch(d -> d.policyVersion().equals(d.baselineVersion()));
  }

  /** A policy that was not there decides by the log as it would have decided then. */
  @Test
  void aLaterPolicySeesInTheLogWhatItWouldHaveSeenThen() {
    Path first = ServedBundles.policy(folder.resolve("first"), 1);
    Path second = ServedBundles.policy(folder.resolve("second"), 1, ANOTHER);
    MemoryLog log = new MemoryLog();
    MemoryLog shadow = new MemoryLog();
    DecisionLogging logging = DecisionLogging.stratified(log, 0.5).withPool(20);
    List<double[]> scoresThen = new ArrayList<>();
    List<RecommendationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      requests.add(RecommendationRequest.forUser("u" + i).k(4).build());
    }
    requests.add(RecommendationRequest.forUser("stranger").k(4).build());
    requests.add(RecommendationRequest.forHistory(List.of("i9", "i10", "none")).k(4).build());
    try (Recommender old = Recommender.open(first, logging(logging).build());
        Recommender there =
            Recommender.open(second, logging(DecisionLogging.greedy(shadow)).build())) {
      for (RecommendationRequest request : requests) {
        for (Recommender recommender : List.of(old, there)) {
          if (request.userId() != null) {
            recommender.recordEvent(request.userId(), "i5");
            recommender.recordEvent(request.userId(), "i7");
          }
          recommender.recommend(request);
        }
        scoresThen.add(among(there, request, log.decisions.get(log.decisions.size() - 1)));
      }
    }
    SlateExploration exploration = logging.of(4);
    int another = 0;
    int changed = 0;
    try (Recommender later = Recommender.open(second, RecommenderOptions.defaults());
        ModelBundle opened = ModelBundle.open(second);
        ServableModel model = ServableModel.load(opened, "cpu", null, 0)) {
      for (int i = 0; i < requests.size(); i++) {
        Decision logged = log.decisions.get(i);
        String user = requests.get(i).userId();
        if (user != null) {
          // What came afterwards must not count.
          later.recordEvent(user, "i60");
          later.recordEvent(user, "i61");
        }
        double[] scores = later.scorer().scores(logged);
        assertThat(scores).containsExactly(scoresThen.get(i));
        assertThat(exploration.propensities(scores, logged.slate()))
            .containsExactly(exploration.propensities(scoresThen.get(i), logged.slate()));
        another += logged.candidates().get(0).scores()[4] == (float) scores[0] ? 0 : 1;
        changed += Arrays.equals(scores, later.scorer().scores(forgetful(logged))) ? 0 : 1;
        int[] history =
            Objects.requireNonNull(logged.history()).items().stream()
                .filter(id -> !id.equals("none"))
                .mapToInt(id -> Integer.parseInt(id.substring(1)))
                .toArray();
        int index = opened.users().indexOf(String.valueOf(user));
        DecidedLists decided =
            model.rankForLog(List.of(new UserState(index, history)), 4, ExcludedItems.NONE);
        assertThat(decided.gatesOf(0)).containsExactly(shadow.decisions.get(i).gates());
        assertThat(decided.inputsOf(0)).containsExactly(shadow.decisions.get(i).inputs());
      }
    }
    // It is another policy, and would have been a third one without the history.
    assertThat(another).isGreaterThan(10);
    assertThat(changed).isGreaterThan(10);
  }

  /** What a recommender thinks now of the candidates of a decision. */
  private static double[] among(
      Recommender recommender, RecommendationRequest request, Decision decision) {
    List<String> ids = decision.candidates().stream().map(Decision.Candidate::itemId).toList();
    Map<String, Double> byId = new HashMap<>();
    RecommendationRequest all =
        new RecommendationRequest(
            request.userId(),
            request.history(),
            ids.size(),
            Eligibility.UNSEEN.withSeen().among(Set.copyOf(ids)),
            Diversity.NONE,
            null,
            false,
            false);
    recommender
        .recommend(all)
        .items()
        .forEach(item -> byId.put(item.itemId(), (double) item.score()));
    return ids.stream().mapToDouble(id -> Objects.requireNonNull(byId.get(id))).toArray();
  }

  /** The same decision as an older log has it. */
  private static Decision forgetful(Decision d) {
    return new Decision(
        d.id(),
        d.userId(),
        d.policyVersion(),
        d.timeMillis(),
        d.seed(),
        d.inputs(),
        d.gates(),
        d.candidates(),
        d.slate());
  }

  @Test
  void strategyScoresAreStandardisedOverTheCatalogue() {
    long scopes = Scope.liveScopes();
    Path bundle = ServedBundles.policy(folder.resolve("policy"), 1);
    try (ModelBundle opened = ModelBundle.open(bundle);
        ServableModel model = ServableModel.load(opened, "cpu", null, 0)) {
      List<UserState> users =
          List.of(new UserState(0, opened.histories().orElseThrow().of(0)), UserState.unseen(3));
      int all = ServedBundles.ITEMS;
      DecidedLists decided = model.rankForLog(users, all, ExcludedItems.NONE);
      assertThat(decided.lists().items())
          .containsExactly(model.rank(users, all, ExcludedItems.NONE).items());
      assertThat(decided.numStrategies()).isEqualTo(4);
      for (int user = 0; user < users.size(); user++) {
        for (int m = 0; m < 4; m++) {
          double sum = 0;
          double squares = 0;
          for (int place = 0; place < all; place++) {
            float z = decided.scoresOf(user, place)[m];
            sum += z;
            squares += z * z;
          }
          // Float sums over 70 items.
          assertThat(sum / all).isCloseTo(0, within(1e-3));
          assertThat(squares / all).isCloseTo(1, within(1e-2));
        }
        assertThat(decided.gatesOf(user)).hasSize(4);
        assertThat(decided.inputsOf(user)).isNotEmpty();
      }
      assertThat(decided.inputsOf(0)).isNotEqualTo(decided.inputsOf(1));
    }
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }
}
