package io.sextant.retrieve;

class CompactInt8Test extends CompactContract {

  @Override
  CompactOptions options() {
    return CompactOptions.of(CompactOptions.Precision.INT8);
  }
}
