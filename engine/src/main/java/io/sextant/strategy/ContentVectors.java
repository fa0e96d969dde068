package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import com.google.gson.Gson;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.store.StoredStrategy;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.List;
import java.util.Optional;

/**
 * Items whose given vectors (text or image embeddings) are like those of the history. With e_i the
 * vector of item i, divided by its length, and n_j the sum of the weights of the interactions with
 * j:
 *
 * <pre>
 * score(h, j) = (sum over i in h of historyWeight(i) e_i / sum of historyWeight(i)) . e_j max(1, n_j)^popularityExponent
 * </pre>
 *
 * <p>The Rocchio profile of content-based recommendation (Lops et al., "Content-based Recommender
 * Systems", 2011) with an exponentially decayed history. Items that nobody has interacted with are
 * recommended like others. Items without a vector score 0, do not enter the profile, and do not
 * count in its mean. For attributes see {@link ContentNeighbours}.
 *
 * <p>Complexity: fitting O(I D), a query O(history x D) on the host; memory 4 I D bytes on the
 * device and as much on the host.
 *
 * <p>Failure modes: vectors that share a large common direction, as those of many language models,
 * make all scores alike: subtract the catalogue's mean before. The mean of a broad history is like
 * everything: let the history decay, if it is in order.
 *
 * <p>Thread safety: immutable.
 *
 * @param name unique in a pool
 * @param feature the name of the dense vector feature; empty for the only one there is
 * @param popularityExponent how much popular targets are preferred, in [-1, 2]; 0 is the cosine
 * @param history how much each item of a history counts
 */
public record ContentVectors(
    String name, String feature, double popularityExponent, HistoryWeights history)
    implements Strategy {

  static final String TYPE = "content-vectors";
  private static final Gson GSON = new Gson();

  public ContentVectors {
    OptionChecks.name(name);
    OptionChecks.exponent("popularityExponent", popularityExponent);
  }

  /** Cosine with the plain mean of the history, of the only dense vector feature. */
  public static ContentVectors cosine() {
    return new ContentVectors(TYPE, "", 0, HistoryWeights.EQUAL);
  }

  /** The same for histories that are in order: the latest items count most. */
  public ContentVectors ordered() {
    return new ContentVectors(name, feature, popularityExponent, HistoryWeights.RECENT);
  }

  @Override
  public SearchSpace searchSpace() {
    return SearchSpace.builder().reals("popularityExponent", -0.5, 1).decayOf(history).build();
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    Dataset data = context.train();
    FeatureColumn.DenseVector column = column(data.items());
    float[] factors = ContentNeighbours.popularity(data.interactions(), popularityExponent);
    Vectors vectors = new Vectors(column.dimension(), normalised(column), factors);
    Scope model = Scope.open(context.device());
    try {
      return new Fitted(model, this, vectors);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  static FittedStrategy load(Scope model, StoredStrategy stored) {
    return Restored.from(
        stored,
        ContentVectors.class,
        (options, tensors) -> {
          // Gson leaves null what is missing.
          if ((Object) options.history == null || (Object) options.feature == null) {
            throw new InvalidInputException("'history' or 'feature' is missing");
          }
          TensorSource vectors = tensors.tensor("items.vectors");
          long[] shape = vectors.spec().dimensions();
          float[] factors = tensors.tensor("items.factors").toFloats();
          if (shape.length != 2 || shape[0] != factors.length) {
            throw new InvalidInputException(
                "'items.vectors' must be a matrix with a row for each of %d items but is %s"
                    .formatted(factors.length, vectors.spec().shape()));
          }
          return new Fitted(
              model, options, new Vectors(Math.toIntExact(shape[1]), vectors.toFloats(), factors));
        });
  }

  private FeatureColumn.DenseVector column(FeatureTable items) {
    List<FeatureColumn.DenseVector> vectors =
        items.columns().stream()
            .filter(column -> column instanceof FeatureColumn.DenseVector)
            .map(column -> (FeatureColumn.DenseVector) column)
            .filter(column -> feature.isEmpty() || column.name().equals(feature))
            .toList();
    if (vectors.size() != 1) {
      String wanted = feature.isEmpty() ? "one dense vector feature" : "'" + feature + "'";
      throw new InvalidInputException(
          "strategy '%s' needs %s of the items but there are %s: give the name of one of them"
              .formatted(
                  name,
                  wanted,
                  items.columns().stream()
                      .filter(column -> column instanceof FeatureColumn.DenseVector)
                      .map(FeatureColumn::name)
                      .toList()));
    }
    return vectors.get(0);
  }

  private static float[] normalised(FeatureColumn.DenseVector column) {
    int width = column.dimension();
    float[] vectors = column.values().clone();
    for (int from = 0; from < vectors.length; from += width) {
      double squares = 0;
      for (int at = from; at < from + width; at++) {
        squares += (double) vectors[at] * vectors[at];
      }
      double length = Math.sqrt(squares);
      for (int at = from; at < from + width && length > 0; at++) {
        vectors[at] = (float) (vectors[at] / length);
      }
    }
    return vectors;
  }

  /**
   * What is known of the items, on the host.
   *
   * @param width D
   * @param units (I * D) vectors of length 1, or 0 where there is none
   * @param factors (I) by which an item's scores are multiplied
   */
  private record Vectors(int width, float[] units, float[] factors) {

    Vectors {
      for (float value : units) {
        check(Math.abs(value) <= 1.0001f, "a component of a vector of length 1 is " + value);
      }
      for (float factor : factors) {
        check(factor > 0 && Float.isFinite(factor), "a factor is " + factor);
      }
    }

    float[] scaled() {
      float[] scaled = units.clone();
      for (int at = 0; at < scaled.length; at++) {
        scaled[at] *= factors[at / width];
      }
      return scaled;
    }

    boolean isThere(int item) {
      for (int at = item * width; at < (item + 1) * width; at++) {
        if (units[at] != 0) {
          return true;
        }
      }
      return false;
    }

    /** Writes the mean vector of a history to where {@code queries} begins at {@code to}. */
    void mean(int[] history, HistoryWeights weights, float[] queries, int to) {
      float[] latestFirst = weights.latestFirst(history.length);
      double total = 0;
      for (int back = 0; back < latestFirst.length; back++) {
        int item = history[history.length - 1 - back];
        if (isThere(item)) {
          total += latestFirst[back];
          for (int d = 0; d < width; d++) {
            queries[to + d] += latestFirst[back] * units[item * width + d];
          }
        }
      }
      for (int d = 0; d < width && total > 0; d++) {
        queries[to + d] = (float) (queries[to + d] / total);
      }
    }

    /** What each item of the history adds to the score of an item. */
    float[] parts(int[] history, HistoryWeights weights, int item) {
      float[] parts = new float[history.length];
      float[] latestFirst = weights.latestFirst(history.length);
      double total = 0;
      for (int back = 0; back < latestFirst.length; back++) {
        int place = history.length - 1 - back;
        if (isThere(history[place])) {
          total += latestFirst[back];
          double product = 0;
          for (int d = 0; d < width; d++) {
            product += (double) units[history[place] * width + d] * units[item * width + d];
          }
          parts[place] = (float) (latestFirst[back] * product * factors[item]);
        }
      }
      for (int place = 0; place < parts.length && total > 0; place++) {
        parts[place] /= (float) total;
      }
      return parts;
    }

    private static void check(boolean holds, String what) {
      if (!holds) {
        throw new InvalidInputException("the vectors are damaged: " + what);
      }
    }
  }

  private static final class Fitted implements FittedStrategy, DenseScores, HistoryScores {

    private final Scope model;
    private final ContentVectors options;
    private final Vectors vectors;
    private final NDArray itemVectors;

    Fitted(Scope model, ContentVectors options, Vectors vectors) {
      this.model = model;
      this.options = options;
      this.vectors = vectors;
      itemVectors =
          HostArrays.floats(
              model.manager(), vectors.scaled(), vectors.factors.length, vectors.width);
    }

    @Override
    public String type() {
      return TYPE;
    }

    @Override
    public int numItems() {
      return vectors.factors.length;
    }

    @Override
    public Optional<DenseScores> dense() {
      return Optional.of(this);
    }

    @Override
    public Optional<HistoryScores> byHistory() {
      return Optional.of(this);
    }

    @Override
    public float[] parts(UserState user, int item) {
      return vectors.parts(user.history(), options.history, item);
    }

    @Override
    public NDArray itemVectors() {
      return itemVectors;
    }

    @Override
    public NDArray queries(Scope scope, List<UserState> users) {
      float[] queries = new float[users.size() * vectors.width];
      for (int u = 0; u < users.size(); u++) {
        vectors.mean(users.get(u).history(), options.history, queries, u * vectors.width);
      }
      return HostArrays.floats(scope.manager(), queries, users.size(), vectors.width);
    }

    @Override
    public String configJson() {
      return GSON.toJson(options);
    }

    @Override
    public List<TensorSource> tensors() {
      return List.of(
          TensorSource.of("items.vectors", vectors.units, vectors.factors.length, vectors.width),
          TensorSource.of("items.factors", vectors.factors, vectors.factors.length));
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
