package io.sextant.cli;

import io.sextant.retrieve.CompactIndex;
import io.sextant.retrieve.CompactOptions;
import io.sextant.retrieve.ExactIndex;
import io.sextant.retrieve.GraphIndex;
import io.sextant.retrieve.GraphOptions;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.TopK;
import java.util.function.Function;

/** The indices under the names that the command line has for them. */
enum ServeIndex {
  EXACT,
  GRAPH,
  FLOAT16,
  INT8;

  /**
   * What builds the index of each model, given the model's exact search.
   *
   * @param searchWidth of a graph
   */
  Function<TopK, IndexBuilder> builder(int searchWidth) {
    return switch (this) {
      case EXACT -> ExactIndex::with;
      case GRAPH -> {
        GraphOptions options = GraphOptions.builder().searchWidth(searchWidth).build();
        yield topK -> GraphIndex.with(options);
      }
      case FLOAT16 -> compact(CompactOptions.Precision.FLOAT16);
      case INT8 -> compact(CompactOptions.Precision.INT8);
    };
  }

  private static Function<TopK, IndexBuilder> compact(CompactOptions.Precision precision) {
    return topK -> CompactIndex.with(topK, CompactOptions.of(precision));
  }
}
