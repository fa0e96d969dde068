package io.sextant.retrieve;

class ExactIndexTest extends IndexContract {

  @Override
  IndexBuilder builder() {
    return ExactIndex.with(topK);
  }

  @Override
  double recall() {
    return 1;
  }
}
