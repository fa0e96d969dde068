package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.retrieve.CompactIndex;
import io.sextant.retrieve.CompactOptions;
import io.sextant.retrieve.ExactIndex;
import io.sextant.retrieve.GraphIndex;
import io.sextant.retrieve.GraphOptions;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.ShardedIndex;
import io.sextant.retrieve.TopK;
import io.sextant.tensor.Devices;
import java.util.List;
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
   * @param devices over which items are spread; none: they are where the model is
   */
  Function<TopK, IndexBuilder> builder(int searchWidth, List<String> devices) {
    if (!devices.isEmpty()) {
      return spread(devices.stream().map(Devices::parse).toList());
    }
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

  private Function<TopK, IndexBuilder> spread(List<Device> devices) {
    return switch (this) {
      case EXACT -> topK -> ShardedIndex.exact(topK, devices);
      case GRAPH ->
          throw new InvalidInputException(
              "--index-devices is for --index exact, float16 and int8: a graph is searched on the"
                  + " CPU");
      case FLOAT16 -> spread(CompactOptions.Precision.FLOAT16, devices);
      case INT8 -> spread(CompactOptions.Precision.INT8, devices);
    };
  }

  private static Function<TopK, IndexBuilder> spread(
      CompactOptions.Precision precision, List<Device> devices) {
    return topK -> ShardedIndex.compact(topK, CompactOptions.of(precision), devices);
  }

  private static Function<TopK, IndexBuilder> compact(CompactOptions.Precision precision) {
    return topK -> CompactIndex.with(topK, CompactOptions.of(precision));
  }
}
