package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * Solves the normal equations of a batch of rows by conjugate gradient, with tensors: the same as
 * {@link AlsRow}. Only gathers and products are used, which run on every device.
 *
 * <p>Thread safety: belongs to one thread; its arrays lie in the scope it was made with.
 */
final class AlsBatch {

  /** Keeps a quotient of two numbers that rounded to 0 from being NaN. */
  private static final float TINY = 1e-30f;

  private final Scope scope;
  private final NDArray table;
  private final NDArray gramian;
  private final NDArray regularisation;
  private final PaddedRows batch;
  private final @Nullable NDArray only;

  /**
   * @param table vectors y (R, D)
   * @param gramian (D, D), times the weight of what is not observed
   * @param regularisation (B, 1)
   * @param batch which vectors each row is observed with
   */
  AlsBatch(Scope scope, NDArray table, NDArray gramian, NDArray regularisation, PaddedRows batch) {
    this.scope = scope;
    this.table = table;
    this.gramian = gramian;
    this.regularisation = regularisation;
    this.batch = batch;
    // Rows in one piece are gathered once, longer ones anew in each step: memory stays bounded.
    only = batch.pieces().size() == 1 ? gather(scope, batch.pieces().get(0)) : null;
  }

  /** Better x (B, D) after so many steps from {@code start} (B, D), in the memory of the scope. */
  NDArray solve(NDArray start, int steps) {
    NDArray x = start;
    NDArray residual = observedSum().sub(image(start));
    NDArray direction = residual;
    NDArray square = squares(residual);
    for (int step = 0; step < steps; step++) {
      NDArray image = image(direction);
      NDArray size = square.div(direction.mul(image).sum(new int[] {1}, true).maximum(TINY));
      x = x.add(size.mul(direction));
      residual = residual.sub(size.mul(image));
      NDArray next = squares(residual);
      direction = residual.add(next.div(square.maximum(TINY)).mul(direction));
      square = next;
    }
    return x;
  }

  /** The weighted sum of (1 - x y)^2 over what is observed. */
  float squaredError(NDArray x) {
    float total = 0;
    for (PaddedRows.Piece piece : batch.pieces()) {
      try (Scope step = scope.child()) {
        NDArray error = products(vectors(step, piece), x).neg().add(1);
        total += step.adopt(error.square().mul(piece.mask()).sum()).getFloat();
      }
    }
    return total;
  }

  private NDArray squares(NDArray rows) {
    return rows.square().sum(new int[] {1}, true);
  }

  /** The right side, sum_s w_s y_s. */
  private NDArray observedSum() {
    NDArray sum = scope.manager().zeros(new Shape(batch.size(), table.getShape().get(1)));
    for (PaddedRows.Piece piece : batch.pieces()) {
      try (Scope step = scope.child()) {
        sum.addi(combine(piece.mask(), vectors(step, piece)));
      }
    }
    return sum;
  }

  private NDArray image(NDArray x) {
    NDArray sum = x.matMul(gramian).add(x.mul(regularisation));
    for (PaddedRows.Piece piece : batch.pieces()) {
      try (Scope step = scope.child()) {
        NDArray vectors = vectors(step, piece);
        sum.addi(combine(products(vectors, x).mul(piece.mask()), vectors));
      }
    }
    return sum;
  }

  /** (B, L, D) and (B, D) to (B, 1, L). */
  private static NDArray products(NDArray vectors, NDArray x) {
    NDArray products = vectors.matMul(x.expandDims(2));
    return products.reshape(vectors.getShape().get(0), 1, vectors.getShape().get(1));
  }

  /** (B, 1, L) and (B, L, D) to (B, D). */
  private static NDArray combine(NDArray factors, NDArray vectors) {
    return factors.matMul(vectors).squeeze(1);
  }

  private NDArray vectors(Scope step, PaddedRows.Piece piece) {
    return only == null ? gather(step, piece) : only;
  }

  /** (B, L, D). */
  private NDArray gather(Scope step, PaddedRows.Piece piece) {
    return step.adopt(RowOptimizer.gather(table, piece.columns()));
  }
}
