package io.sextant.strategy;

final class PopularityContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return Popularity.allTime();
  }

  @Override
  boolean isPersonal() {
    return false;
  }
}
