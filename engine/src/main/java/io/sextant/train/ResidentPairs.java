package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Scope;

/**
 * Which users and items matrix factorisation compares in a step on the device, and what the
 * comparison says.
 *
 * <p>Thread safety: used by one thread at a time.
 */
interface ResidentPairs {

  /** Begins an epoch with its examples in this order. */
  void startEpoch(NDArray order, int[] examples, int batchSize);

  /** The items that a step reads (P,) int64. */
  NDArray items(Rows rows);

  /**
   * Compares.
   *
   * @param user (B) positions
   * @param item (P) positions, of the items that {@link #items} gave
   */
  Compared compare(Rows rows, ResidentSide user, ResidentSide item);

  /**
   * The gradients of the positions.
   *
   * @param slopes dJ/ds of each pair, those of {@link Compared} times weights
   */
  Gradients gradients(ResidentSide user, ResidentSide item, NDArray slopes);

  /**
   * What a step learns from.
   *
   * @param scope the step's lifetime
   * @param rows (B,) int64
   * @param users (B,) int64
   * @param positives (B,) int64, items
   */
  record Rows(
      Scope scope,
      ResidentForm.Position position,
      NDArray rows,
      NDArray users,
      NDArray positives) {}

  /**
   * What the scores say.
   *
   * @param losses (B) of the examples without weights
   * @param slopes (B, M), the derivative of each by the scores of its M pairs
   */
  record Compared(NDArray losses, NDArray slopes) {}

  /**
   * Sums over the pairs of each position.
   *
   * @param users (B, D)
   * @param userBiases (B, 1)
   * @param items (P, D)
   * @param itemBiases (P, 1)
   */
  record Gradients(NDArray users, NDArray userBiases, NDArray items, NDArray itemBiases) {}
}
