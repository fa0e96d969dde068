package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One recommendation that was made: all that a later policy needs to be evaluated on it.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param id unique; outcomes name it
 * @param userId null for a visitor without an id
 * @param policyVersion of the policy that decided
 * @param baselineVersion of the incumbent, which would have decided had there been no trial: the
 *     policy itself unless it was a canary; null where that was not written down
 * @param timeMillis since 1970-01-01 UTC, by the clock of who decided: it may go back
 * @param seed of the draw: with it the slate can be drawn again
 * @param history what the user had done by then, from which a later policy makes inputs of its own;
 *     null where that was not written down
 * @param inputs (F) what the policy knew of the user
 * @param gates (M) how it weighed the strategies
 * @param candidates among whom it chose
 * @param slate indices of the candidates that were shown, from the first place on
 */
@SuppressWarnings("ArrayRecordComponent") // Vectors are handed over, not compared.
public record Decision(
    String id,
    @Nullable String userId,
    String policyVersion,
    @Nullable String baselineVersion,
    long timeMillis,
    long seed,
    @Nullable History history,
    float[] inputs,
    float[] gates,
    List<Candidate> candidates,
    int[] slate) {

  private static final int MAX_ID = 1024;

  /**
   * An item that could be shown.
   *
   * @param itemId its id
   * @param scores (M) what each strategy said of it
   * @param propensity probability with which it was drawn into its place, in (0, 1]; of a candidate
   *     that is not in the slate, as {@link SlateExploration#firstPropensities} gives it, in [0, 1]
   */
  @SuppressWarnings("ArrayRecordComponent") // Vectors are handed over, not compared.
  public record Candidate(String itemId, float[] scores, double propensity) {

    public Candidate {
      checkId("the candidate", itemId);
      if (!(propensity >= 0 && propensity <= 1)) {
        throw new InvalidInputException(
            "the propensity of candidate '%s' must lie in [0, 1] but was %s"
                .formatted(itemId, propensity));
      }
    }
  }

  /**
   * The items that a user had interacted with when a decision was made.
   *
   * @param items ids of the last {@value #MAX_ITEMS} at most, oldest first
   * @param length how many there were in all
   */
  public record History(List<String> items, int length) {

    /** So many are kept of a longer history. */
    public static final int MAX_ITEMS = 256;

    public History {
      items = List.copyOf(items);
      if (items.size() > MAX_ITEMS || items.size() > length) {
        throw new InvalidInputException(
            "a history of %d items cannot keep %d of them: it keeps %d at most"
                .formatted(length, items.size(), Math.min(length, MAX_ITEMS)));
      }
    }

    /** A whole history, of which the end is kept. */
    public static History of(List<String> whole) {
      int length = whole.size();
      return new History(whole.subList(Math.max(0, length - MAX_ITEMS), length), length);
    }

    /** Whether nothing is left out: then what a policy makes of it is exact. */
    public boolean isWhole() {
      return items.size() == length;
    }
  }

  /** A decision whose inputs alone say what was known of the user, and that names no incumbent. */
  public Decision(
      String id,
      @Nullable String userId,
      String policyVersion,
      long timeMillis,
      long seed,
      float[] inputs,
      float[] gates,
      List<Candidate> candidates,
      int[] slate) {
    this(id, userId, policyVersion, null, timeMillis, seed, null, inputs, gates, candidates, slate);
  }

  public Decision {
    checkId("the decision", id);
    if (userId != null) {
      checkId("the user", userId);
    }
    candidates = List.copyOf(candidates);
    boolean[] shown = new boolean[candidates.size()];
    for (int index : slate) {
      if (index < 0 || index >= shown.length || shown[index]) {
        throw new InvalidInputException(
            "the slate of decision '%s' must name different candidates of 0..%d but has %d"
                .formatted(id, shown.length - 1, index));
      }
      shown[index] = true;
      if (candidates.get(index).propensity() == 0) {
        throw new InvalidInputException(
            "candidate '%s' of decision '%s' was shown, so its propensity cannot be 0: log the probability with which it was drawn"
                .formatted(candidates.get(index).itemId(), id));
      }
    }
  }

  static void checkId(String what, String id) {
    if (id.isEmpty() || id.length() > MAX_ID) {
      throw new InvalidInputException(
          "the id of %s must have 1 to %d characters but had %d"
              .formatted(what, MAX_ID, id.length()));
    }
  }
}
