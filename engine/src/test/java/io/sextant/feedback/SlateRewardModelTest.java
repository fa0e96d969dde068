package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.EventType;
import io.sextant.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Slates of two of four items whose exact value under any policy is summed over all slates. */
class SlateRewardModelTest {

  private static final int ITEMS = 4;
  private static final int SLOTS = 2;
  private static final RewardRule RATING = RewardRule.valueOf(EventType.RATING, 10);
  private static final SlateSampler EXPLORING = new SlateSampler(SLOTS, 0, ITEMS, 1, 0.2);
  private static final CandidateScorer LOGGING = decision -> new double[ITEMS];

  /** Likes what is good. */
  private static final CandidateScorer TARGET =
      decision -> {
        double[] scores = new double[ITEMS];
        for (int c = 0; c < ITEMS; c++) {
          scores[c] = 1.5 * decision.candidates().get(c).scores()[0];
        }
        return scores;
      };

  /** A log with its exact value under the target. */
  private record World(List<LoggedDecision> log, double truth) {

    LoggedSlates slates() {
      return ServedLog.slates(log, RATING, TARGET, EXPLORING);
    }
  }

  /** An item pays by its first score, and more under a good one. */
  private static double mean(Decision decision, int[] slate, int slot) {
    double own = decision.candidates().get(slate[slot]).scores()[0];
    double above = slot == 0 ? 0 : decision.candidates().get(slate[0]).scores()[0];
    return 1 + own + 0.5 * above;
  }

  private static World world(int decisions, int scores, int seed) {
    List<LoggedDecision> log = new ArrayList<>();
    double truth = 0;
    for (int i = 0; i < decisions; i++) {
      CounterRandom random = new CounterRandom(seed, "slate-world", i);
      List<Decision.Candidate> blank = new ArrayList<>();
      for (int c = 0; c < ITEMS; c++) {
        float[] values = new float[scores];
        for (int m = 0; m < scores; m++) {
          values[m] = (float) random.nextGaussian();
        }
        blank.add(new Decision.Candidate("i" + c, values, 1));
      }
      Decision before = decision(i, blank, new int[0]);
      SlateDraw draw = EXPLORING.draw(LOGGING.scores(before), seed, i);
      List<Decision.Candidate> candidates = new ArrayList<>(blank);
      List<Outcome> outcomes = new ArrayList<>();
      for (int slot = 0; slot < SLOTS; slot++) {
        int item = draw.items()[slot];
        candidates.set(
            item,
            new Decision.Candidate(
                "i" + item, blank.get(item).scores(), draw.propensities()[slot]));
        double paid = mean(before, draw.items(), slot) + random.nextGaussian();
        outcomes.add(new Outcome("d" + i, "i" + item, EventType.RATING, paid, 1, ""));
      }
      log.add(new LoggedDecision(decision(i, candidates, draw.items()), outcomes));
      truth += value(before) / decisions;
    }
    return new World(log, truth);
  }

  private static Decision decision(int i, List<Decision.Candidate> candidates, int[] slate) {
    return new Decision("d" + i, "u", "v", 0, 1, new float[0], new float[0], candidates, slate);
  }

  private static double value(Decision decision) {
    double value = 0;
    double[] scores = TARGET.scores(decision);
    for (int first = 0; first < ITEMS; first++) {
      for (int second = 0; second < ITEMS; second++) {
        if (first != second) {
          int[] slate = {first, second};
          double[] p = EXPLORING.propensities(scores, slate);
          value += p[0] * p[1] * (mean(decision, slate, 0) + mean(decision, slate, 1));
        }
      }
    }
    return value;
  }

  /** Mean error over seeds in standard errors, and the root of the mean square. */
  private record Errors(double z, double rmse) {

    static Errors of(double[] errors) {
      double squares = 0;
      for (double error : errors) {
        squares += error * error / errors.length;
      }
      double error = Math.sqrt(MeanBounds.variance(errors) / errors.length);
      return new Errors(MeanBounds.mean(errors) / error, Math.sqrt(squares));
    }
  }

  /**
   * Thirty slates and sixty scores an item: the regression goes through every reward that it has
   * seen. On slates that it has not it is bad, and the estimate is right on average all the same.
   */
  @Test
  void onlyWhatIsCrossFittedIsUnbiasedWithAModelThatOverfits() {
    int seeds = 150;
    SlateRewardModel overfitting = new SlateRewardModel(1e-6);
    double[] crossFitted = new double[seeds];
    double[] inSample = new double[seeds];
    for (int seed = 0; seed < seeds; seed++) {
      World world = world(30, 60, seed);
      SlateModel out = overfitting.crossFit(world.log(), RATING, TARGET, EXPLORING, 5, seed);
      SlateModel in = overfitting.inSample(world.log(), RATING, TARGET, EXPLORING);
      crossFitted[seed] =
          SlateEstimator.CASCADE_DR.estimate(world.slates(), out).value() - world.truth();
      inSample[seed] =
          SlateEstimator.CASCADE_DR.estimate(world.slates(), in).value() - world.truth();
    }
    // Unbiased: beyond 3.5 standard errors in one of 2,000 runs.
    assertThat(Errors.of(crossFitted).z()).isBetween(-3.5, 3.5);
    assertThat(Math.abs(Errors.of(inSample).z())).isGreaterThan(6);
  }

  /** With a model that is of use the error is less than without one. */
  @Test
  void aModelThatFitsMakesTheErrorSmaller() {
    int seeds = 60;
    double[] without = new double[seeds];
    double[] with = new double[seeds];
    int covered = 0;
    for (int seed = 0; seed < seeds; seed++) {
      World world = world(200, 2, 1000 + seed);
      SlateModel model =
          new SlateRewardModel(1).crossFit(world.log(), RATING, TARGET, EXPLORING, 5, seed);
      var estimate = SlateEstimator.CASCADE_DR.estimate(world.slates(), model);
      without[seed] = SlateEstimator.RIPS.estimate(world.slates(), null).value() - world.truth();
      with[seed] = estimate.value() - world.truth();
      covered += estimate.lo() <= world.truth() && world.truth() <= estimate.hi() ? 1 : 0;
    }
    assertThat(Errors.of(without).z()).isBetween(-3.5, 3.5);
    assertThat(Errors.of(with).z()).isBetween(-3.5, 3.5);
    assertThat(Errors.of(with).rmse()).isLessThan(0.8 * Errors.of(without).rmse());
    // The truth is that of these decisions, which an interval over decisions is too wide for.
    assertThat(covered).isGreaterThan(52);
  }

  /** Without noise and with many slates the regressions are the truth. */
  @Test
  void predictionsAreWhatASlatePaysFromASlotDownwards() {
    World world = world(4000, 1, 7);
    SlateModel model =
        new SlateRewardModel(1).crossFit(world.log(), RATING, TARGET, EXPLORING, 4, 3);
    double[] squares = new double[2];
    double above = 0;
    for (int i = 0; i < world.log().size(); i++) {
      Decision decision = world.log().get(i).decision();
      int[] slate = decision.slate();
      double[][] drawn = EXPLORING.conditionals(TARGET.scores(decision), slate);
      double under = 0;
      for (int c = 0; c < ITEMS; c++) {
        if (c != slate[0]) {
          under += drawn[1][c] * mean(decision, new int[] {slate[0], c}, 1);
        }
      }
      double last = mean(decision, slate, 1);
      squares[0] += Math.pow(model.atLogged()[2 * i + 1] - last, 2) / 4000;
      squares[1] += Math.pow(model.underTarget()[2 * i + 1] - under, 2) / 4000;
      above += (model.atLogged()[2 * i] - mean(decision, slate, 0) - under) / 4000;
    }
    // Linear in what it is given, so as good as 3,000 rewards with a variance of 1 allow.
    assertThat(squares[0]).isLessThan(0.01);
    assertThat(squares[1]).isLessThan(0.01);
    // What follows hangs on the other candidates as well: right on average.
    assertThat(above).isCloseTo(0, within(0.1));
  }

  @Test
  void conditionalsAreThoseOfTheDraws() {
    double[] scores = {1, 0.5, -1, 0};
    int[] slate = {2, 0};
    for (SlateExploration exploration :
        List.of(
            EXPLORING, new SlateSampler(2, 1, 4, 1, 0.1), new StratifiedSampler(2, 4, 1, 0.1))) {
      double[][] conditionals = exploration.conditionals(scores, slate);
      double[] propensities = exploration.propensities(scores, slate);
      for (int slot = 0; slot < 2; slot++) {
        double sum = 0;
        for (double one : conditionals[slot]) {
          sum += one;
        }
        assertThat(sum).isCloseTo(1, within(1e-12));
        assertThat(conditionals[slot][slate[slot]]).isEqualTo(propensities[slot]);
      }
    }
    assertThat(EXPLORING.conditionals(scores, slate)[1][2]).isZero();
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> new SlateRewardModel(0)).hasMessageContaining("l2 must be > 0");
    World world = world(3, 2, 1);
    SlateRewardModel model = new SlateRewardModel(1);
    assertThatThrownBy(() -> model.crossFit(world.log(), RATING, TARGET, EXPLORING, 4, 1))
        .hasMessageContaining("folds must lie in 2..3");
    List<LoggedDecision> mixed = new ArrayList<>(world.log());
    mixed.addAll(world(1, 3, 2).log());
    assertThatThrownBy(() -> model.crossFit(mixed, RATING, TARGET, EXPLORING, 2, 1))
        .hasMessageContaining("has 3 scores, others have 2");
  }
}
