package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.EventType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServedLogTest {

  private static final RewardRule CLICK = RewardRule.happened(EventType.CLICK, 100);

  @TempDir private Path folder = Path.of("");

  private static Decision decision(String id, long time, int... slate) {
    List<Decision.Candidate> candidates =
        List.of(
            new Decision.Candidate("a", new float[] {1, 0}, 0.5),
            new Decision.Candidate("b", new float[] {0, 2}, 0.3),
            new Decision.Candidate("c", new float[] {0, 0}, 0.2));
    return new Decision(
        id, "u", "v1", time, 1, new float[] {7, 8}, new float[] {1}, candidates, slate);
  }

  @Test
  void outcomesCountOnceAndInTime() {
    Decision decision = decision("d", 1000, 0, 1);
    LoggedDecision logged =
        new LoggedDecision(
            decision,
            List.of(
                new Outcome("d", "a", EventType.CLICK, 1, 900, "early clock"),
                new Outcome("d", "a", EventType.CLICK, 1, 1050, "again"),
                new Outcome("d", "b", EventType.CLICK, 1, 1101, "late"),
                new Outcome("d", "b", EventType.RATING, 4, 1100, "x"),
                new Outcome("d", "b", EventType.RATING, 2, 1001, "y")));
    assertThat(CLICK.of(logged, "a")).isEqualTo(1);
    assertThat(CLICK.of(logged, "b")).isZero();
    assertThat(CLICK.of(logged, "c")).isZero();
    assertThat(RewardRule.valueOf(EventType.RATING, 100).of(logged, "b")).isEqualTo(6);
    assertThat(CLICK.isMature(decision, 1100)).isFalse();
    assertThat(CLICK.isMature(decision, 1101)).isTrue();
    assertThatThrownBy(() -> RewardRule.happened(EventType.CLICK, 0))
        .hasMessageContaining("horizonMillis must be > 0");
  }

  @Test
  void readsWhatIsMatureAsRoundsAndSlates() {
    List<LoggedDecision> mature;
    try (DecisionLog log = SqliteDecisionLog.open(folder.resolve("log"))) {
      log.record(decision("d1", 10, 1, 0)).join();
      log.record(Outcome.of("d1", "b", EventType.CLICK, 20)).join();
      log.record(decision("d2", 15, 2, 1)).join();
      log.record(decision("young", 950, 0, 1)).join();
      mature = ServedLog.mature(log, CLICK, 0, 1000);
    }
    assertThat(mature).extracting(one -> one.decision().id()).containsExactly("d1", "d2");
    LoggedRounds rounds = ServedLog.rounds(mature, List.of("c", "b", "a"), CLICK);
    assertThat(rounds.actions()).containsExactly(1, 0);
    assertThat(rounds.rewards()).containsExactly(1, 0);
    assertThat(rounds.propensities()).containsExactly(0.3, 0.2);
    assertThat(rounds.contexts()).containsExactly(7, 8, 7, 8);
    // Scores of the target: a 2, b 2, c 0; the second slot is drawn from what the first left.
    LoggedSlates slates =
        ServedLog.slates(
            mature, CLICK, CandidateScorer.weighted(2, 1), new SlateSampler(2, 0, 3, 1, 0));
    double e2 = Math.exp(2);
    assertThat(slates.rewards()).containsExactly(1, 0, 0, 0);
    assertThat(slates.propensities()).containsExactly(0.3, 0.5, 0.2, 0.3);
    assertThat(slates.targets())
        .containsExactly(
            new double[] {e2 / (2 * e2 + 1), e2 / (e2 + 1), 1 / (2 * e2 + 1), 0.5},
            org.assertj.core.data.Offset.offset(1e-12));
  }

  @Test
  void refusesWhatIsNoRound() {
    List<LoggedDecision> log = List.of(new LoggedDecision(decision("d", 0, 2), List.of()));
    assertThatThrownBy(() -> ServedLog.rounds(log, List.of("a", "b"), CLICK))
        .hasMessageContaining("'d' showed 'c', which is none of the 2 actions");
    List<LoggedDecision> empty = List.of(new LoggedDecision(decision("d", 0), List.of()));
    assertThatThrownBy(() -> ServedLog.rounds(empty, List.of("a"), CLICK))
        .hasMessageContaining("showed 0 items");
  }
}
