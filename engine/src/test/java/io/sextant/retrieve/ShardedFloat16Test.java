package io.sextant.retrieve;

import ai.djl.Device;
import java.util.List;

class ShardedFloat16Test extends IndexContract {

  @Override
  IndexBuilder builder() {
    return ShardedIndex.compact(
        topK,
        CompactOptions.of(CompactOptions.Precision.FLOAT16),
        List.of(Device.cpu(), Device.cpu()));
  }

  @Override
  double recall() {
    return 1;
  }
}
