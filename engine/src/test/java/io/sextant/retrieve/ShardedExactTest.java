package io.sextant.retrieve;

import ai.djl.Device;
import java.util.List;

class ShardedExactTest extends IndexContract {

  @Override
  IndexBuilder builder() {
    return ShardedIndex.exact(topK, List.of(Device.cpu(), Device.cpu(), Device.cpu()));
  }

  @Override
  double recall() {
    return 1;
  }
}
