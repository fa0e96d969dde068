package io.sextant.strategy;

final class EaseContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return Ease.builder().l2(5).build();
  }
}
