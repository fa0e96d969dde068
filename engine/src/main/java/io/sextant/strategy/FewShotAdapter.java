package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.nn.FeatureBags;
import io.sextant.nn.FewShotModel;
import io.sextant.nn.FewShotOptions;
import io.sextant.nn.NamedParameter;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.InnerProduct;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a trained {@link FewShotModel} in Java, for serving: a user costs O(K (n + m) D),
 * whatever the size of the catalogue.
 *
 * <p>Thread safety: immutable.
 */
final class FewShotAdapter {

  private static final String NEGATIVES = "fewshot.negatives";
  private static final String PREFIX = "fewshot.";

  private final FewShotOptions options;
  private final int width;
  private final float[] stepVectors;
  private final int[] negatives;
  private final FeatureBags features;
  private final Map<String, float[]> learned;
  private final float[] start;
  private final float @Nullable [] featureTable;
  private final float[][] rates;
  private final float pull;
  private final float power;

  /**
   * @param stepVectors (I, D) item vectors x of the steps
   * @param learned values of the model's parameters, without item tables, by name
   */
  private FewShotAdapter(
      FewShotOptions options,
      int width,
      float[] stepVectors,
      int[] negatives,
      FeatureBags features,
      Map<String, float[]> learned) {
    this.options = options;
    this.width = width;
    this.stepVectors = stepVectors;
    this.negatives = negatives;
    this.features = features;
    this.learned = learned;
    start = required("start", width);
    featureTable = features.width() == 0 ? null : required("features", features.numRows() * width);
    boolean learns = options.method() == FewShotOptions.Method.META_SGD;
    rates = new float[options.steps()][width];
    for (int k = 0; k < rates.length; k++) {
      if (learns) {
        float[] logarithms = required("logRate" + k, width);
        for (int d = 0; d < width; d++) {
          rates[k][d] = (float) Math.exp(logarithms[d]);
        }
      } else {
        Arrays.fill(rates[k], options.rate());
      }
    }
    pull = learns && rates.length > 1 ? (float) Math.exp(required("logPull", 1)[0]) : 0;
    power = learns ? required("power", 1)[0] : 1;
  }

  private float[] required(String name, int length) {
    return required(learned, name, length);
  }

  private static float[] required(Map<String, float[]> learned, String name, int length) {
    float[] values = learned.get(name);
    if (values == null || values.length != length) {
      throw new InvalidInputException(
          "tensor '%s%s' must have %d values but %s: save the model again"
              .formatted(
                  PREFIX, name, length, values == null ? "is missing" : "has " + values.length));
    }
    return values;
  }

  /** The model as it is now. */
  static FewShotAdapter of(FewShotModel model, FeatureBags features) {
    Map<String, float[]> learned = new HashMap<>();
    int width = 0;
    for (NamedParameter named : model.namedParameters()) {
      NDArray value = named.parameter().getArray();
      if (named.group() != NamedParameter.Group.ITEM) {
        learned.put(named.name(), HostArrays.toFloats(value));
      }
      if (named.name().equals("start")) {
        width = (int) value.size();
      }
    }
    return new FewShotAdapter(
        model.options(), width, model.stepVectors(), model.negatives(), features, learned);
  }

  /**
   * Restores what {@link #tensors} gave.
   *
   * @param given (I, D) item vectors that the adaptation was learned over, or for tuned ones the
   *     table of the steps
   */
  static FewShotAdapter load(
      FewShotOptions options, NDArray given, FeatureBags features, StoredTensors stored) {
    Map<String, float[]> learned = new HashMap<>();
    int width = Math.toIntExact(given.getShape().get(1));
    List<String> names = new ArrayList<>(List.of("start", "features", "logPull", "power", "map"));
    for (int k = 0; k < options.steps(); k++) {
      names.add("logRate" + k);
    }
    for (String name : names) {
      if (stored.contains(PREFIX + name)) {
        float[] values = stored.tensor(PREFIX + name).toFloats();
        OptionChecks.check(
            IntStream.range(0, values.length).allMatch(i -> Float.isFinite(values[i])),
            "tensor '%s%s' has a value that is not finite".formatted(PREFIX, name));
        learned.put(name, values);
      }
    }
    int[] negatives = options.negatives() == 0 ? new int[0] : stored.tensor(NEGATIVES).toInts();
    long numItems = given.getShape().get(0);
    OptionChecks.check(
        negatives.length == Math.min(options.negatives(), numItems)
            && Arrays.stream(negatives).allMatch(item -> item >= 0 && item < numItems),
        "tensor '%s' does not name %d of the items".formatted(NEGATIVES, options.negatives()));
    float[] steps =
        options.items() == FewShotOptions.Items.MAPPED
            ? mapped(given, required(learned, "map", width * width))
            : HostArrays.toFloats(given);
    return new FewShotAdapter(options, width, steps, negatives, features, learned);
  }

  private static float[] mapped(NDArray given, float[] map) {
    long width = given.getShape().get(1);
    try (NDArray square = HostArrays.floats(given.getManager(), map, width, width);
        NDArray mapped = given.matMul(square)) {
      return HostArrays.toFloats(mapped);
    }
  }

  FewShotOptions options() {
    return options;
  }

  float[] stepVectors() {
    return stepVectors;
  }

  FeatureBags features() {
    return features;
  }

  /** Adapted vectors (B, D) of users by their latest events. */
  float[] adapt(List<UserState> users) {
    float[] all = new float[users.size() * width];
    IntStream.range(0, users.size())
        .parallel()
        .forEach(u -> System.arraycopy(adapt(users.get(u)), 0, all, u * width, width));
    return all;
  }

  /** The adapted vector (D) of one user. */
  float[] adapt(UserState user) {
    int[] history = user.history();
    int count = Math.min(options.maxEvents(), history.length);
    int[] events = Arrays.copyOfRange(history, history.length - count, history.length);
    int numItems = stepVectors.length / width;
    for (int item : events) {
      if (item < 0 || item >= numItems) {
        throw new InvalidInputException(
            "a history names item %d but there are %d items: leave unknown items out"
                .formatted(item, numItems));
      }
    }
    float[] from = startOf(user.userIndex());
    float[] u = from.clone();
    float weight = (float) Math.exp(-power * Math.log(Math.max(1, count)));
    float[] gradient = new float[width];
    for (float[] rate : rates) {
      for (int d = 0; d < width; d++) {
        gradient[d] = pull * (u[d] - from[d]);
      }
      addLossGradient(u, events, weight, gradient);
      for (int d = 0; d < width; d++) {
        u[d] -= rate[d] * gradient[d];
      }
    }
    return u;
  }

  private float[] startOf(int user) {
    float[] from = start.clone();
    if (featureTable != null && user >= 0) {
      for (int w = user * features.width(); w < (user + 1) * features.width(); w++) {
        add(from, featureTable, features.rows()[w], features.weights()[w]);
      }
    }
    return from;
  }

  private void addLossGradient(float[] u, int[] events, float weight, float[] gradient) {
    if (events.length == 0) {
      return;
    }
    if (options.loss() == FewShotOptions.Loss.LOGISTIC) {
      for (int item : events) {
        add(gradient, stepVectors, item, -weight * sigmoid(-score(u, item)));
      }
      float share = weight * events.length / Math.max(1, negatives.length);
      for (int item : negatives) {
        add(gradient, stepVectors, item, share * sigmoid(score(u, item)));
      }
      return;
    }
    float[] other = new float[negatives.length];
    float largest = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < other.length; j++) {
      other[j] = score(u, negatives[j]);
      largest = Math.max(largest, other[j]);
    }
    double sum = 0;
    for (float score : other) {
      sum += Math.exp(score - largest);
    }
    int numItems = stepVectors.length / width;
    float logSum = (float) (largest + Math.log(sum * numItems / negatives.length));
    float shared = 0;
    for (int item : events) {
      float q = weight * sigmoid(logSum - score(u, item));
      add(gradient, stepVectors, item, -q);
      shared += q;
    }
    for (int j = 0; j < other.length; j++) {
      float probability = (float) (Math.exp(other[j] - largest) / sum);
      add(gradient, stepVectors, negatives[j], shared * probability);
    }
  }

  private float score(float[] u, int item) {
    return InnerProduct.of(u, 0, stepVectors, item * width, width);
  }

  private static void add(float[] sum, float[] table, int row, float factor) {
    int at = row * sum.length;
    for (int d = 0; d < sum.length; d++) {
      sum[d] += factor * table[at + d];
    }
  }

  private static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-x)));
  }

  /** What a bundle holds beside item vectors and features. */
  List<TensorSource> tensors() {
    List<TensorSource> sources = new ArrayList<>();
    learned.forEach((name, v) -> sources.add(TensorSource.of(PREFIX + name, v, v.length)));
    if (negatives.length > 0) {
      sources.add(TensorSource.of(NEGATIVES, negatives, negatives.length));
    }
    return sources;
  }
}
