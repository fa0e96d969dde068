package io.sextant.strategy;

final class UserNeighboursContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return UserNeighbours.nearest();
  }
}
