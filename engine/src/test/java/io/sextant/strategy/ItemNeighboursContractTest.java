package io.sextant.strategy;

final class ItemNeighboursContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return ItemNeighbours.rp3beta();
  }
}
