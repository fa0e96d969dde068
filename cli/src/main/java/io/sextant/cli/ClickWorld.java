package io.sextant.cli;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.feedback.CandidateScorer;
import io.sextant.feedback.Decision;
import io.sextant.feedback.FittedRewardModel;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.LoggedRounds;
import io.sextant.feedback.Outcome;
import io.sextant.feedback.RewardModel;
import io.sextant.feedback.RewardRule;
import io.sextant.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A made-up shop in which a purchase follows a click and a click an examination:
 *
 * <pre>
 * P(purchase) = theta_l CTR(u, i) CVR(u, i),   theta_l = 1 / (l + 1)^bias
 * </pre>
 *
 * CTR and CVR are logistic in {@value #FEATURES} features of the user, with weights of each item;
 * what is clicked most is bought less (their intercepts are correlated at {@value #CLICKBAIT}), so
 * popularity, which ranks by clicks, misleads, and conversion among clicked items is not conversion
 * among shown ones. Intercepts of clicks wander from round to round. A purchase is seen after an
 * exponential delay, if it comes within a day, and some outcomes are lost.
 *
 * <p>The learner ranks by purchases among all that was shown, not among what was clicked (as Ma et
 * al., SIGIR 2018, do by networks): a ridge regression of purchase / theta on the user's features
 * for each item, from the rounds that are not too old.
 */
final class ClickWorld implements SimulatedWorld {

  static final int SLOTS = 5;
  static final int ITEMS = 30;
  static final int FEATURES = 3;
  static final double CLICKBAIT = -0.5;
  private static final int VISITORS = 800;
  private static final int STRANGERS = 400;
  private static final int MEMORY = 6;
  private static final double CLICK_LEVEL = -1;
  private static final double BUY_LEVEL = -0.5;
  private static final double PENALTY = 20;

  /**
   * What disturbs.
   *
   * @param positionBias the exponent of examination, &gt;= 0
   * @param drift of click intercepts a round, &gt;= 0
   * @param delayDays mean of purchases, &gt;= 0
   * @param missing share of outcomes that are lost, 0..1
   * @param rounds for how many rounds items wander
   */
  record Settings(double positionBias, double drift, double delayDays, double missing, int rounds) {

    Settings {
      if (!(positionBias >= 0 && drift >= 0 && delayDays >= 0 && missing >= 0 && missing < 1)) {
        throw new InvalidInputException(
            "--position-bias, --drift and --delay must be >= 0 and --missing in [0, 1) but were"
                + " %s, %s, %s and %s".formatted(positionBias, drift, delayDays, missing));
      }
    }
  }

  private final Settings settings;
  private final double[] examination = new double[SLOTS];
  private final double[][] users;
  private final double[][] clickWeights = new double[ITEMS][FEATURES];
  private final double[][] buyWeights = new double[ITEMS][FEATURES];
  private final double[] buyLevels = new double[ITEMS];

  /** (rounds + 1, I): the last round's is used for final values. */
  private final double[][] clickLevels;

  private final double[] popularity = new double[ITEMS];

  ClickWorld(Settings settings, long seed) {
    this.settings = settings;
    Arrays.setAll(examination, l -> Math.pow(l + 1, -settings.positionBias()));
    CounterRandom random = new CounterRandom(seed, "click-world", 0);
    clickLevels = new double[settings.rounds() + 1][ITEMS];
    for (int i = 0; i < ITEMS; i++) {
      double common = random.nextGaussian();
      clickLevels[0][i] = CLICK_LEVEL + 0.8 * common;
      buyLevels[i] =
          BUY_LEVEL
              + 1.2
                  * (CLICKBAIT * common
                      + Math.sqrt(1 - CLICKBAIT * CLICKBAIT) * random.nextGaussian());
      for (int f = 0; f < FEATURES; f++) {
        clickWeights[i][f] = 0.5 * random.nextGaussian();
        buyWeights[i][f] = 0.7 * random.nextGaussian();
      }
      for (int round = 1; round < clickLevels.length; round++) {
        clickLevels[round][i] =
            clickLevels[round - 1][i] + settings.drift() * random.nextGaussian();
      }
    }
    users = new double[VISITORS + STRANGERS][FEATURES];
    for (double[] user : users) {
      Arrays.setAll(user, f -> random.nextGaussian());
    }
    for (int u = 0; u < VISITORS; u++) {
      for (int i = 0; i < ITEMS; i++) {
        popularity[i] += clickRate(u, i, 0) / VISITORS;
      }
    }
  }

  private double clickRate(int user, int item, int round) {
    return sigmoid(clickLevels[round][item] + dot(clickWeights[item], users[user]));
  }

  private double buyRate(int user, int item) {
    return sigmoid(buyLevels[item] + dot(buyWeights[item], users[user]));
  }

  @Override
  public double[] examination() {
    return examination;
  }

  @Override
  public RewardRule reward() {
    return RewardRule.happened(EventType.PURCHASE, ROUND_MILLIS / 2);
  }

  @Override
  public double observedShare() {
    double inTime = settings.delayDays() == 0 ? 1 : 1 - Math.exp(-0.5 / settings.delayDays());
    return inTime * (1 - settings.missing());
  }

  @Override
  public double epsilon() {
    return 0.3;
  }

  @Override
  public int memory() {
    return MEMORY;
  }

  @Override
  public double temperature() {
    return 0.15;
  }

  @Override
  public List<Integer> visitors() {
    return IntStream.range(0, VISITORS).boxed().toList();
  }

  @Override
  public List<Integer> strangers() {
    return IntStream.range(VISITORS, VISITORS + STRANGERS).boxed().toList();
  }

  @Override
  public Visit visit(int user, int round) {
    float[] inputs = new float[FEATURES];
    for (int f = 0; f < FEATURES; f++) {
      inputs[f] = (float) users[user][f];
    }
    List<Decision.Candidate> candidates = new ArrayList<>(ITEMS);
    double[] worth = new double[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
      candidates.add(new Decision.Candidate("i" + i, new float[] {(float) popularity[i]}, 0));
      worth[i] = clickRate(user, i, round) * buyRate(user, i);
    }
    double[] sorted = worth.clone();
    Arrays.sort(sorted);
    double best = 0;
    for (int l = 0; l < SLOTS; l++) {
      best += examination[l] * sorted[ITEMS - 1 - l];
    }
    Decision before =
        new Decision(
            "none", "u" + user, "none", 0, 0, inputs, new float[0], candidates, new int[0]);
    return new Visit(before, worth, best / examined());
  }

  @Override
  public List<Outcome> outcomes(Visit visit, Decision shown, int round, CounterRandom random) {
    int user = Integer.parseInt(String.valueOf(shown.userId()).substring(1));
    List<Outcome> outcomes = new ArrayList<>();
    for (int slot = 0; slot < shown.slate().length; slot++) {
      int item = shown.slate()[slot];
      boolean clicked = random.nextDouble() < examination[slot] * clickRate(user, item, round);
      boolean bought = clicked && random.nextDouble() < buyRate(user, item);
      long click = shown.timeMillis() + 1;
      double wait = -Math.log(1 - random.nextDouble()) * settings.delayDays();
      add(outcomes, clicked, shown, item, EventType.CLICK, click, random);
      long purchase = click + (long) (wait * ROUND_MILLIS);
      add(outcomes, bought, shown, item, EventType.PURCHASE, purchase, random);
    }
    return outcomes;
  }

  private void add(
      List<Outcome> outcomes,
      boolean happened,
      Decision shown,
      int item,
      EventType type,
      long time,
      CounterRandom random) {
    if (random.nextDouble() >= settings.missing() && happened) {
      outcomes.add(Outcome.of(shown.id(), shown.candidates().get(item).itemId(), type, time));
    }
  }

  @Override
  public CandidateScorer popularity() {
    return CandidateScorer.weighted(1);
  }

  @Override
  public CandidateScorer learn(List<LoggedDecision> log) {
    int n = log.stream().mapToInt(one -> one.decision().slate().length).sum();
    int[] actions = new int[n];
    double[] rewards = new double[n];
    double[] propensities = new double[n];
    double[] contexts = new double[n * FEATURES];
    int at = 0;
    for (LoggedDecision logged : log) {
      Decision decision = logged.decision();
      for (int slot = 0; slot < decision.slate().length; slot++) {
        Decision.Candidate item = decision.candidates().get(decision.slate()[slot]);
        actions[at] = decision.slate()[slot];
        rewards[at] = reward().of(logged, item.itemId()) / examination[slot];
        propensities[at] = item.propensity();
        for (int f = 0; f < FEATURES; f++) {
          contexts[at * FEATURES + f] = decision.inputs()[f];
        }
        at++;
      }
    }
    FittedRewardModel model =
        RewardModel.ridge(PENALTY)
            .fit(new LoggedRounds(ITEMS, actions, rewards, propensities, FEATURES, contexts));
    return decision -> {
      double[] context = new double[FEATURES];
      Arrays.setAll(context, f -> decision.inputs()[f]);
      return model.predict(context, 1).values();
    };
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
