package io.sextant;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Asks for the items that one user should see.
 *
 * <p>Thread safety: immutable.
 *
 * @param userId the user's id, also of one never seen before; null for a visitor without an id
 * @param history ids of the items that the user has interacted with, oldest first; ids that the
 *     model does not know are passed over. Null for what is known of the user: the history in the
 *     bundle and the events recorded since
 * @param k how long the list is to be
 * @param eligibility which items it may hold
 * @param diversity how it is to be varied
 * @param timeout how long the answer is of use; null for the service's default
 * @param parts whether to say what each strategy adds to each score
 * @param log whether the decision is logged, and the list explores as the service's log says; null
 *     for the service's default
 */
public record RecommendationRequest(
    @Nullable String userId,
    @Nullable List<String> history,
    int k,
    Eligibility eligibility,
    Diversity diversity,
    @Nullable Duration timeout,
    boolean parts,
    @Nullable Boolean log) {

  /** How many items a list has unless the request says otherwise. */
  public static final int DEFAULT_K = 10;

  public RecommendationRequest {
    history = history == null ? null : List.copyOf(history);
    if (k < 1) {
      throw new InvalidInputException("k must be >= 1 but was " + k);
    }
    if (parts && Boolean.TRUE.equals(log)) {
      throw new InvalidInputException(
          "a list with parts is for people who look into it and is not logged: ask for one of both");
    }
    if (timeout != null && (timeout.isNegative() || timeout.isZero())) {
      throw new InvalidInputException("timeout must be > 0 but was " + timeout);
    }
  }

  /** What is known of this user decides. */
  public static Builder forUser(String userId) {
    return new Builder(userId, null);
  }

  /** A history decides, oldest item first. */
  public static Builder forHistory(List<String> history) {
    return new Builder(null, history);
  }

  /** Collects what is asked for; each has a default. Not thread-safe. */
  public static final class Builder {
    private final @Nullable String userId;
    private @Nullable List<String> history;
    private int k = DEFAULT_K;
    private Eligibility eligibility = Eligibility.UNSEEN;
    private Diversity diversity = Diversity.NONE;
    private @Nullable Duration timeout;
    private boolean parts;
    private @Nullable Boolean log;

    private Builder(@Nullable String userId, @Nullable List<String> history) {
      this.userId = userId;
      this.history = history;
    }

    /** This history in place of what is known of the user. */
    public Builder history(List<String> history) {
      this.history = history;
      return this;
    }

    public Builder k(int k) {
      this.k = k;
      return this;
    }

    public Builder eligibility(Eligibility eligibility) {
      this.eligibility = eligibility;
      return this;
    }

    public Builder diversity(Diversity diversity) {
      this.diversity = diversity;
      return this;
    }

    public Builder timeout(Duration timeout) {
      this.timeout = timeout;
      return this;
    }

    public Builder parts(boolean parts) {
      this.parts = parts;
      return this;
    }

    public Builder log(boolean log) {
      this.log = log;
      return this;
    }

    /**
     * The request.
     *
     * @throws InvalidInputException if k or the timeout is not positive
     */
    public RecommendationRequest build() {
      return new RecommendationRequest(
          userId, history, k, eligibility, diversity, timeout, parts, log);
    }
  }
}
