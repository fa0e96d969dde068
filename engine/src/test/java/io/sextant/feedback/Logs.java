package io.sextant.feedback;

import io.sextant.tensor.CounterRandom;

/** Small logs with a known truth. */
final class Logs {

  private Logs() {}

  /** A random point of the simplex. */
  static double[] simplex(CounterRandom random, int size) {
    double[] p = new double[size];
    double sum = 0;
    for (int i = 0; i < size; i++) {
      p[i] = -Math.log(1 - random.nextDouble());
      sum += p[i];
    }
    for (int i = 0; i < size; i++) {
      p[i] /= sum;
    }
    return p;
  }

  /** Rows of random probabilities. */
  static ActionProbabilities policy(CounterRandom random, int rounds, int actions) {
    double[] values = new double[rounds * actions];
    for (int i = 0; i < rounds; i++) {
      System.arraycopy(simplex(random, actions), 0, values, i * actions, actions);
    }
    return new ActionProbabilities(actions, values);
  }

  /** Draws from one row of a policy. */
  static int draw(ActionProbabilities policy, int round, double uniform) {
    double left = uniform;
    for (int a = 0; a < policy.numActions() - 1; a++) {
      left -= policy.of(round, a);
      if (left < 0) {
        return a;
      }
    }
    return policy.numActions() - 1;
  }

  /** A log of a policy over random contexts of two numbers, with clicks that depend on both. */
  static LoggedRounds log(CounterRandom random, ActionProbabilities logging) {
    int n = logging.size();
    int[] actions = new int[n];
    double[] rewards = new double[n];
    double[] propensities = new double[n];
    double[] contexts = new double[2 * n];
    for (int i = 0; i < n; i++) {
      contexts[2 * i] = random.nextGaussian();
      contexts[2 * i + 1] = 3 + 2 * random.nextGaussian();
      actions[i] = draw(logging, i, random.nextDouble());
      propensities[i] = logging.of(i, actions[i]);
      double rate = clickRate(actions[i], logging.numActions(), contexts[2 * i]);
      rewards[i] = random.nextDouble() < rate ? 1 : 0;
    }
    return new LoggedRounds(logging.numActions(), actions, rewards, propensities, 2, contexts);
  }

  static double clickRate(int action, int actions, double x) {
    return 1 / (1 + Math.exp(-(x * (action - actions / 2.0) / actions + action * 0.3 - 1)));
  }
}
