package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Scope;

/**
 * Alternating least squares in Java on all cores, row by row. An epoch costs O((U + I) D^2 + n D)
 * for each conjugate gradient step, n the number of pairs; memory is (U + I) D floats. The result
 * does not depend on the number of threads.
 */
final class AlsOnHost implements AlsSolver {

  private final Als options;
  private final Links byUser;
  private final Links byItem;
  private final TallMatrix users;
  private final TallMatrix items;

  AlsOnHost(Als options, Links byUser) {
    this.options = options;
    this.byUser = byUser;
    byItem = byUser.transposed();
    users = TallMatrix.zeros(byUser.numRows(), options.factors());
    items = options.initialItems(byItem);
  }

  @Override
  public void epoch() {
    solve(byUser, items, users);
    solve(byItem, users, items);
  }

  private void solve(Links lists, TallMatrix known, TallMatrix wanted) {
    float[][] gramian = options.weighted(known.gramian());
    TallMatrix.forEachTask(
        lists.numRows(),
        (from, to) -> {
          AlsRow solver = new AlsRow(gramian);
          for (int row = from; row < to; row++) {
            solver.solve(
                known,
                lists.columns(),
                lists.weights(),
                lists.starts()[row],
                lists.starts()[row + 1],
                options.regularisation(lists.mass(row), lists.numColumns()),
                wanted.row(row),
                options.cgSteps());
          }
        });
  }

  @Override
  public double objective() {
    double observed =
        TallMatrix.sum(
            byUser.numRows(),
            user -> {
              double sum = 0;
              for (int at = byUser.starts()[user]; at < byUser.starts()[user + 1]; at++) {
                double error = 1 - TallMatrix.dot(users.row(user), items.row(byUser.columns()[at]));
                sum += byUser.weights()[at] * error * error;
              }
              return sum;
            });
    double[][] ofUsers = users.gramian();
    double[][] ofItems = items.gramian();
    double all = 0;
    for (int d = 0; d < ofUsers.length; d++) {
      for (int e = 0; e < ofUsers.length; e++) {
        all += ofUsers[d][e] * ofItems[d][e];
      }
    }
    return observed
        + options.unobservedWeight() * all
        + penalty(byUser, users)
        + penalty(byItem, items);
  }

  private double penalty(Links lists, TallMatrix factors) {
    return TallMatrix.sum(
        lists.numRows(),
        row ->
            (double) options.regularisation(lists.mass(row), lists.numColumns())
                * TallMatrix.dot(factors.row(row), factors.row(row)));
  }

  @Override
  public NDArray itemVectors(Scope scope) {
    return items.toTensor(scope.manager());
  }
}
