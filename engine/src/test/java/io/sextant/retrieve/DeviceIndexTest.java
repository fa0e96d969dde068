package io.sextant.retrieve;

import io.sextant.retrieve.TopKOptions.Method;
import org.junit.jupiter.api.AfterEach;

/** The device's way, on the CPU, behind an index. */
class DeviceIndexTest extends IndexContract {

  private final TopK device =
      new TopK(
          TopKOptions.builder().method(Method.DEVICE).threads(1).temporaryBytes(1 << 20).build());

  @AfterEach
  void close() {
    device.close();
  }

  @Override
  IndexBuilder builder() {
    return ExactIndex.with(device);
  }

  @Override
  double recall() {
    return 1;
  }
}
