package io.sextant.meta;

import io.sextant.InvalidInputException;

/**
 * How a meta-strategy is fitted.
 *
 * <p>Thread safety: immutable.
 *
 * @param k of the NDCG by which weights, policies and normalisations are judged
 * @param candidates N, how many candidates stage 1 hands to stage 2
 * @param poolDepth how many of each strategy's best items are candidates while the weights of stage
 *     1 are fitted
 * @param maxUsers at most so many users of the meta slice are used
 * @param holdout share of them that stops the training and chooses, in (0, 1)
 * @param hidden width of the policy networks' first layers
 * @param kappa bound of the tilt of weights, see the formula in {@code MetaStrategy}
 * @param beta bound of the additive term of stage 2
 * @param halfTrust n0: with so many items in the history a user gets half of the tilt
 * @param gateRate step size of the stage 1 network
 * @param policyRate step size of the stage 2 network
 * @param epochs passes over the users, at most
 * @param patience epochs without a better NDCG after which a network stops
 * @param networks how many networks of stage 2, from different seeds, are averaged
 * @param strength the greatest share of the stage 2 policy's change that is applied, in [0, 1]:
 *     below 1 where the slice is a random draw from what users did, which flatters a policy because
 *     what they do next is none
 * @param seed of every random draw
 */
public record MetaOptions(
    int k,
    int candidates,
    int poolDepth,
    int maxUsers,
    double holdout,
    int hidden,
    float kappa,
    float beta,
    float halfTrust,
    float gateRate,
    float policyRate,
    int epochs,
    int patience,
    int networks,
    float strength,
    long seed) {

  public MetaOptions {
    check(k > 0, "k must be > 0 but was " + k);
    check(
        candidates >= k && candidates <= 10_000,
        "candidates must be in k = %d to 10,000 but was %d".formatted(k, candidates));
    check(poolDepth > 0, "poolDepth must be > 0 but was " + poolDepth);
    check(maxUsers >= 10, "maxUsers must be >= 10 but was " + maxUsers);
    check(holdout > 0 && holdout < 1, "holdout must be in (0, 1) but was " + holdout);
    check(hidden > 0, "hidden must be > 0 but was " + hidden);
    check(kappa >= 0 && kappa <= 10, "kappa must be in [0, 10] but was " + kappa);
    check(beta >= 0 && beta <= 100, "beta must be in [0, 100] but was " + beta);
    check(halfTrust >= 0, "halfTrust must be >= 0 but was " + halfTrust);
    check(gateRate >= 0, "gateRate must be >= 0 but was " + gateRate);
    check(policyRate >= 0, "policyRate must be >= 0 but was " + policyRate);
    check(epochs > 0, "epochs must be > 0 but was " + epochs);
    check(patience >= 0, "patience must be >= 0 but was " + patience);
    check(networks > 0, "networks must be > 0 but was " + networks);
    check(strength >= 0 && strength <= 1, "strength must be in [0, 1] but was " + strength);
  }

  /** The defaults: NDCG@10, 100 candidates, at most 20,000 users of which a fifth is held out. */
  public static Builder builder() {
    return new Builder();
  }

  /** The same with another seed. */
  public MetaOptions withSeed(long newSeed) {
    return new MetaOptions(
        k,
        candidates,
        poolDepth,
        maxUsers,
        holdout,
        hidden,
        kappa,
        beta,
        halfTrust,
        gateRate,
        policyRate,
        epochs,
        patience,
        networks,
        strength,
        newSeed);
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private int k = 10;
    private int candidates = 100;
    private int poolDepth = 60;
    private int maxUsers = 20_000;
    private double holdout = 0.2;
    private int hidden = 64;
    private float kappa = 2;
    private float beta = 5;
    private float halfTrust = 1;
    private float gateRate = 2e-3f;
    private float policyRate = 1e-3f;
    private int epochs = 25;
    private int patience = 4;
    private int networks = 2;
    private float strength = 1;
    private long seed = 1;

    private Builder() {}

    public Builder k(int k) {
      this.k = k;
      return this;
    }

    public Builder candidates(int candidates) {
      this.candidates = candidates;
      return this;
    }

    public Builder poolDepth(int poolDepth) {
      this.poolDepth = poolDepth;
      return this;
    }

    public Builder maxUsers(int maxUsers) {
      this.maxUsers = maxUsers;
      return this;
    }

    public Builder holdout(double holdout) {
      this.holdout = holdout;
      return this;
    }

    public Builder hidden(int hidden) {
      this.hidden = hidden;
      return this;
    }

    public Builder kappa(float kappa) {
      this.kappa = kappa;
      return this;
    }

    public Builder beta(float beta) {
      this.beta = beta;
      return this;
    }

    public Builder halfTrust(float halfTrust) {
      this.halfTrust = halfTrust;
      return this;
    }

    public Builder gateRate(float gateRate) {
      this.gateRate = gateRate;
      return this;
    }

    public Builder policyRate(float policyRate) {
      this.policyRate = policyRate;
      return this;
    }

    public Builder epochs(int epochs) {
      this.epochs = epochs;
      return this;
    }

    public Builder patience(int patience) {
      this.patience = patience;
      return this;
    }

    public Builder networks(int networks) {
      this.networks = networks;
      return this;
    }

    public Builder strength(float strength) {
      this.strength = strength;
      return this;
    }

    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidInputException if one is out of its range
     */
    public MetaOptions build() {
      return new MetaOptions(
          k,
          candidates,
          poolDepth,
          maxUsers,
          holdout,
          hidden,
          kappa,
          beta,
          halfTrust,
          gateRate,
          policyRate,
          epochs,
          patience,
          networks,
          strength,
          seed);
    }
  }
}
