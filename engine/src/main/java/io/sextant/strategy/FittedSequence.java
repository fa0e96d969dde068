package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import com.google.gson.Gson;
import io.sextant.InvalidInputException;
import io.sextant.nn.Dropout;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.PackedSequences;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.SequenceEncoder;
import io.sextant.nn.SequenceOptions;
import io.sextant.store.StoredStrategy;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import io.sextant.train.TrainingResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A trained sequence encoder. A user's query is the encoder's state after the latest items of the
 * history; without any it is the mean query of the training users.
 *
 * <p>Thread safety: as {@link FittedStrategy}.
 */
public final class FittedSequence implements FittedStrategy, DenseScores {

  private static final Gson GSON = new Gson();
  private static final String ITEMS = "item.id";
  private static final String UNKNOWN = "query.unknown";

  /** So many tokens, about, go through the encoder at once: the widest result takes 16 MB. */
  private static final int CHUNK_TOKENS = 16_384;

  private final Scope scope;
  private final SequenceEncoder encoder;
  private final @Nullable TrainingResult result;
  private final NDArray itemVectors;
  private final NDArray unknown;

  private FittedSequence(Scope scope, SequenceEncoder encoder, @Nullable TrainingResult result) {
    this.scope = scope;
    this.encoder = encoder;
    this.result = result;
    itemVectors = encoder.itemVectors(scope);
    unknown = scope.manager().zeros(new Shape(1, encoder.options().dimension()));
  }

  static FittedSequence of(Scope scope, SequenceEncoder encoder, TrainingResult result) {
    return new FittedSequence(scope, encoder, result);
  }

  /**
   * The model as it is at this moment of its training; closing it closes the scope and leaves the
   * parameters alone.
   */
  static FittedSequence snapshot(Scope scope, SequenceEncoder encoder) {
    return new FittedSequence(scope, encoder, null);
  }

  /** Sets the query of users without history. */
  void serveUnknownAsMeanOf(List<UserState> users) {
    try (Scope step = scope.child()) {
      NDArray mean = queries(step, users).mean(new int[] {0}, true);
      mean.copyTo(unknown);
    }
  }

  /** How training went, unless the strategy was loaded from a bundle. */
  public Optional<TrainingResult> trainingResult() {
    return Optional.ofNullable(result);
  }

  @Override
  public String type() {
    return SequenceStrategy.TYPE;
  }

  @Override
  public int numItems() {
    return encoder.numItems();
  }

  @Override
  public Optional<DenseScores> dense() {
    return Optional.of(this);
  }

  @Override
  public NDArray itemVectors() {
    return itemVectors;
  }

  @Override
  public NDArray queries(Scope request, List<UserState> users) {
    int size = users.size();
    int dimension = encoder.options().dimension();
    try (Scope step = request.child()) {
      NDManager manager = step.manager();
      // One more row for the users without history.
      NDArray known = manager.create(new Shape(size + 1, dimension));
      int[] place = new int[size];
      Arrays.fill(place, size);
      known.set(new NDIndex("{}:", size), unknown);
      int next = 0;
      int from = 0;
      while (from < size) {
        List<int[]> histories = new ArrayList<>();
        int tokens = 0;
        int first = next;
        for (; from < size && tokens < CHUNK_TOKENS; from++) {
          int[] history = latest(users.get(from).history());
          if (history.length > 0) {
            histories.add(history);
            tokens += history.length;
            place[from] = next++;
          }
        }
        if (!histories.isEmpty()) {
          encode(step, histories, known, first);
        }
      }
      return step.promote(RowOptimizer.gather(known, HostArrays.longs(manager, place, size)));
    }
  }

  /** Writes the queries of these histories into rows from {@code first} on. */
  private void encode(Scope parent, List<int[]> histories, NDArray into, int first) {
    try (Scope chunk = parent.child()) {
      NDManager manager = chunk.manager();
      PackedSequences packed = new PackedSequences(histories.toArray(new int[0][]));
      NDArray states =
          encoder.encode(new ParameterValues(manager), packed.input(manager), Dropout.NONE);
      NDArray last =
          RowOptimizer.gather(
              states, HostArrays.longs(manager, packed.lastTokens(), histories.size()));
      into.set(new NDIndex("{}:{}", first, first + histories.size()), last);
    }
  }

  private int[] latest(int[] history) {
    int length = encoder.options().historyLength();
    return history.length <= length
        ? history
        : Arrays.copyOfRange(history, history.length - length, history.length);
  }

  @Override
  public String configJson() {
    return GSON.toJson(new Config(encoder.options()));
  }

  @Override
  public List<TensorSource> tensors() {
    List<TensorSource> sources = new ArrayList<>();
    for (NamedParameter parameter : encoder.namedParameters()) {
      sources.add(TensorFiles.source(parameter.name(), parameter.parameter().getArray()));
    }
    sources.add(TensorFiles.source(UNKNOWN, unknown));
    return sources;
  }

  static FittedStrategy load(Scope scope, StoredStrategy stored) {
    SequenceOptions shape = shapeOf(stored);
    StoredTensors tensors = stored.tensors();
    checkSizes(tensors, shape);
    int numItems = Math.toIntExact(tensors.tensor(ITEMS).spec().dimensions()[0]);
    SequenceEncoder encoder = new SequenceEncoder(scope, numItems, shape, 0);
    for (NamedParameter parameter : encoder.namedParameters()) {
      TensorFiles.loadInto(parameter.parameter().getArray(), tensors.tensor(parameter.name()));
    }
    // Only now: with a cosine the item vectors are computed from the table.
    FittedSequence fitted = new FittedSequence(scope, encoder, null);
    TensorFiles.loadInto(fitted.unknown, tensors.tensor(UNKNOWN));
    return fitted;
  }

  /** Refuses sizes that are not those of the tensors before memory is taken for them. */
  private static void checkSizes(StoredTensors tensors, SequenceOptions shape) {
    long[] table = tensors.tensor(ITEMS).spec().dimensions();
    check(tensors, ITEMS, table.length == 0 ? 0 : table[0], shape.dimension());
    check(tensors, "block0.hidden.weight", shape.hidden(), shape.dimension());
    tensors.tensor("block%d.hidden.weight".formatted(shape.blocks() - 1));
    if (shape.positions()) {
      check(tensors, "positions", shape.historyLength(), shape.dimension());
    }
    if (shape.distances()) {
      check(tensors, "block0.distances", shape.historyLength(), shape.heads());
    }
  }

  private static void check(StoredTensors tensors, String name, long... expected) {
    long[] dimensions = tensors.tensor(name).spec().dimensions();
    if (!Arrays.equals(dimensions, expected)) {
      throw new InvalidInputException(
          "tensor '%s' is %s but the configuration says %s: the bundle was put together from two"
              .formatted(name, Arrays.toString(dimensions), Arrays.toString(expected)));
    }
  }

  private static SequenceOptions shapeOf(StoredStrategy stored) {
    try {
      return GSON.fromJson(stored.configJson(), Config.class).shape();
    } catch (RuntimeException e) {
      // Gson wraps what a record's constructor throws into a plain RuntimeException.
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new InvalidInputException(
          "strategy '%s' has an unreadable configuration: %s; save the model again with this engine"
              .formatted(stored.name(), cause.getMessage()),
          e);
    }
  }

  @Override
  public void close() {
    scope.close();
  }

  /** What a bundle holds beside the tensors. */
  private record Config(SequenceOptions shape) {
    Config {
      Objects.requireNonNull(shape, "shape");
    }
  }
}
