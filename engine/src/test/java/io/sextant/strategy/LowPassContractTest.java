package io.sextant.strategy;

import org.junit.jupiter.api.Nested;

final class LowPassContractTest {

  @Nested
  class BothParts extends StrategyContract {

    @Override
    Strategy strategy(long seed) {
      return LowPass.builder().factors(4).seed(seed).build();
    }
  }

  @Nested
  class IdealFilterAlone extends StrategyContract {

    @Override
    Strategy strategy(long seed) {
      return LowPass.builder().factors(4).neighbours(0).seed(seed).build();
    }
  }
}
