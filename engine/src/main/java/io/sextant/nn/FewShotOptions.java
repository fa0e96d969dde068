package io.sextant.nn;

import io.sextant.InvalidInputException;
import java.util.Objects;

/**
 * How a user's vector is adapted to a few events, and how that is learned.
 *
 * @param method what is learned of the adaptation
 * @param loss of the inner gradient
 * @param steps gradient steps, 1 to 3
 * @param items which item vectors the steps and the scores use
 * @param negatives items, drawn once, that the inner loss holds against the events; 0 for none
 *     (logistic only)
 * @param maxEvents n, at most so many events are adapted to: the latest ones
 * @param maxQueries at most so many later events of an episode are to be found
 * @param episodes which events of a user support, and which are to be found
 * @param rate step size at the start of the training; fixed for first-order MAML
 */
public record FewShotOptions(
    Method method,
    Loss loss,
    int steps,
    Items items,
    int negatives,
    int maxEvents,
    int maxQueries,
    Episodes episodes,
    float rate) {

  /** What is learned of the adaptation. */
  public enum Method {
    /**
     * Start, a step size for each step and dimension, the pull back to the start, and how the
     * number of events counts; gradients go through the inner steps exactly (Li et al., Meta-SGD,
     * <a href="https://arxiv.org/abs/1707.09835">arXiv:1707.09835</a>).
     */
    META_SGD,
    /**
     * The start alone; inner steps are plain gradient descent on the mean loss with one given rate,
     * and are passed over by the outer gradient (Finn, Abbeel and Levine, ICML 2017; Nichol, Achiam
     * and Schulman, <a href="https://arxiv.org/abs/1803.02999">arXiv:1803.02999</a>).
     */
    FIRST_ORDER_MAML
  }

  /** The loss of the inner gradient. */
  public enum Loss {
    /** Each event is positive, each of the negatives is negative, all together count as one. */
    LOGISTIC,
    /** Each event against the negatives, which stand for the catalogue. */
    SOFTMAX
  }

  /** Which item vectors the steps and the scores use. */
  public enum Items {
    /** The given ones, fixed. */
    GIVEN,
    /** The given ones for scores; for the steps a learned linear map of them. */
    MAPPED,
    /**
     * Tables that start at the given ones and learn from the episodes: one for scores and one for
     * the steps, a single one with first-order MAML.
     */
    TUNED
  }

  /** Which events of a user support, and which are to be found. */
  public enum Episodes {
    /** The first events support, the next ones are to be found: a user's beginning. */
    FIRST,
    /** Any events support, the others are to be found: for data without an order. */
    ANY
  }

  public FewShotOptions {
    Objects.requireNonNull(method, "method");
    Objects.requireNonNull(loss, "loss");
    Objects.requireNonNull(items, "items");
    Objects.requireNonNull(episodes, "episodes");
    check(steps >= 1 && steps <= 3, "steps must be 1 to 3 but was " + steps);
    check(negatives >= 0, "negatives must be >= 0 but was " + negatives);
    check(
        loss != Loss.SOFTMAX || negatives > 0,
        "negatives must be > 0 for the softmax loss but was " + negatives);
    check(maxEvents > 0, "maxEvents must be > 0 but was " + maxEvents);
    check(maxQueries > 0, "maxQueries must be > 0 but was " + maxQueries);
    check(rate > 0 && Float.isFinite(rate), "rate must be > 0 and finite but was " + rate);
    check(
        method == Method.META_SGD || items != Items.MAPPED,
        "a map of the item vectors is learned by META_SGD only");
  }

  /** The defaults: two steps of Meta-SGD over given item vectors with a learned map. */
  public static Builder builder() {
    return new Builder();
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private Method method = Method.META_SGD;
    private Loss loss = Loss.LOGISTIC;
    private int steps = 2;
    private Items items = Items.MAPPED;
    private int negatives;
    private int maxEvents = 10;
    private int maxQueries = 100;
    private Episodes episodes = Episodes.FIRST;
    private float rate = 0.5f;

    private Builder() {}

    public Builder method(Method method) {
      this.method = method;
      return this;
    }

    public Builder loss(Loss loss) {
      this.loss = loss;
      return this;
    }

    public Builder steps(int steps) {
      this.steps = steps;
      return this;
    }

    public Builder items(Items items) {
      this.items = items;
      return this;
    }

    public Builder negatives(int negatives) {
      this.negatives = negatives;
      return this;
    }

    public Builder maxEvents(int maxEvents) {
      this.maxEvents = maxEvents;
      return this;
    }

    public Builder maxQueries(int maxQueries) {
      this.maxQueries = maxQueries;
      return this;
    }

    public Builder episodes(Episodes episodes) {
      this.episodes = episodes;
      return this;
    }

    public Builder rate(float rate) {
      this.rate = rate;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidInputException if one is out of its range
     */
    public FewShotOptions build() {
      return new FewShotOptions(
          method, loss, steps, items, negatives, maxEvents, maxQueries, episodes, rate);
    }
  }
}
