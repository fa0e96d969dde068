package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.List;

/**
 * Alternating least squares with tensors that stay on the device: data, factors and solutions. Rows
 * are solved in batches of similar length ({@link PaddedRows}) by gathers and products alone.
 */
final class AlsOnDevice implements AlsSolver {

  /** Gathered vectors of one batch take at most so many bytes. */
  private static final int BATCH_BYTES = 1 << 28;

  private final Scope scope;
  private final Als options;
  private final Side users;
  private final Side items;

  /** The factors of one side and what determines them. */
  private record Side(List<PaddedRows> lists, NDArray regularisation, NDArray factors) {}

  /**
   * @param scope holds everything until the training is over
   * @param maxEntries at most so many vectors are gathered at a time
   */
  AlsOnDevice(Scope scope, Als options, Links byUser, int maxEntries) {
    this.scope = scope;
    this.options = options;
    Links byItem = byUser.transposed();
    NDArray userFactors = scope.manager().zeros(new Shape(byUser.numRows(), options.factors()));
    NDArray itemFactors = options.initialItems(byItem).toTensor(scope.manager());
    users = side(byUser, userFactors, maxEntries);
    items = side(byItem, itemFactors, maxEntries);
  }

  private Side side(Links lists, NDArray factors, int maxEntries) {
    return new Side(
        PaddedRows.of(scope, lists, maxEntries), regularisation(scope, options, lists), factors);
  }

  /** How many vectors a batch may gather. */
  static int maxEntries(int factors) {
    return Math.max(1, BATCH_BYTES / Float.BYTES / factors);
  }

  /** The penalty of each row, (R, 1). */
  static NDArray regularisation(Scope scope, Als options, Links lists) {
    float[] penalties = new float[lists.numRows()];
    for (int row = 0; row < penalties.length; row++) {
      penalties[row] = options.regularisation(lists.mass(row), lists.numColumns());
    }
    return HostArrays.floats(scope.manager(), penalties, penalties.length, 1);
  }

  /** The inner products of all columns of a table (R, D), weighted: (D, D). */
  static NDArray gramian(Scope scope, Als options, NDArray table) {
    try (Scope step = scope.child()) {
      NDArray products = step.adopt(table.transpose()).matMul(table);
      return step.promote(products.mul(options.unobservedWeight()));
    }
  }

  @Override
  public void epoch() {
    solve(items, users);
    solve(users, items);
  }

  private void solve(Side known, Side wanted) {
    try (Scope half = scope.child()) {
      NDArray gramian = gramian(half, options, known.factors());
      solve(
          half,
          known.factors(),
          gramian,
          wanted.regularisation(),
          wanted.lists(),
          wanted.factors(),
          options.cgSteps());
    }
  }

  /**
   * Improves all rows that have a list, in place.
   *
   * @param table vectors by which the lists' columns are known (R', D)
   * @param gramian of the table (D, D)
   * @param regularisation of each row (R, 1)
   * @param into the rows (R, D)
   */
  static void solve(
      Scope scope,
      NDArray table,
      NDArray gramian,
      NDArray regularisation,
      List<PaddedRows> lists,
      NDArray into,
      int steps) {
    for (PaddedRows batch : lists) {
      try (Scope step = scope.child()) {
        NDArray start = step.adopt(RowOptimizer.gather(into, batch.rows()));
        NDArray penalty = step.adopt(RowOptimizer.gather(regularisation, batch.rows()));
        AlsBatch equations = new AlsBatch(step, table, gramian, penalty, batch);
        RowOptimizer.write(into, batch.rows(), equations.solve(start, steps));
      }
    }
  }

  @Override
  public double objective() {
    try (Scope step = scope.child()) {
      NDArray ofUsers = gramian(step, options, users.factors());
      NDArray ofItems = gramian(step, options, items.factors());
      // Each of the two carries the weight of what is not observed.
      double total = ofUsers.mul(ofItems).sum().getFloat() / options.unobservedWeight();
      for (PaddedRows batch : users.lists()) {
        try (Scope part = step.child()) {
          NDArray x = part.adopt(RowOptimizer.gather(users.factors(), batch.rows()));
          NDArray penalty = part.adopt(RowOptimizer.gather(users.regularisation(), batch.rows()));
          total += new AlsBatch(part, items.factors(), ofItems, penalty, batch).squaredError(x);
        }
      }
      return total + penalty(step, users) + penalty(step, items);
    }
  }

  private static double penalty(Scope scope, Side side) {
    try (Scope step = scope.child()) {
      NDArray squares = step.adopt(side.factors().square());
      return squares.mul(side.regularisation()).sum().getFloat();
    }
  }

  @Override
  public NDArray itemVectors(Scope target) {
    return target.adopt(items.factors().duplicate());
  }
}
