package io.sextant.strategy;

final class AlsContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return Als.builder().factors(8).epochs(8).unobservedWeight(0.1).l2(0.01).seed(seed).build();
  }
}
