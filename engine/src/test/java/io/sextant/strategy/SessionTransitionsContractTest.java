package io.sextant.strategy;

final class SessionTransitionsContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return SessionTransitions.wide();
  }
}
