package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.ParameterValues;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowSet;
import io.sextant.tensor.Scope;
import io.sextant.train.Batch;
import io.sextant.train.LearningTask;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Learning a {@link MixModel}: an example is a user with at least one relevant candidate, its loss
 * the listwise softmax cross-entropy over the candidates, {@code -sum_+ log softmax(S) / |+|}.
 *
 * <p>Thread safety: as {@link LearningTask}.
 */
final class MixTask implements LearningTask<MixTask.MixBatch> {

  private static final float PADDING_SCORE = -1e9f;
  private static final int CHUNK = 256;

  private final MixModel model;
  private final MixData data;
  private final Judgements judgements;
  private final int[] examples;

  /**
   * A task.
   *
   * @param users those of the data who may be examples
   */
  MixTask(MixModel model, MixData data, Judgements judgements, int[] users) {
    this.model = model;
    this.data = data;
    this.judgements = judgements;
    this.examples = Arrays.stream(users).filter(u -> judgements.found(u) > 0).toArray();
  }

  /** A batch, in the step's scope; the last two are null where only scores are wanted. */
  record MixBatch(
      int size,
      float[] weights,
      NDArray users,
      NDArray items,
      NDArray confidence,
      NDArray normalised,
      NDArray padding,
      @Nullable NDArray labels)
      implements Batch {

    @Override
    public Map<String, RowSet> rows() {
      return Map.of();
    }
  }

  @Override
  public int numExamples() {
    return examples.length;
  }

  @Override
  public List<NamedParameter> parameters() {
    return model.parameters();
  }

  @Override
  public MixBatch prepare(Scope scope, int[] chosen, long step) {
    int[] users = new int[chosen.length];
    for (int i = 0; i < users.length; i++) {
      users[i] = examples[chosen[i]];
    }
    int n = data.evidence().numCandidates();
    float[] labels = new float[users.length * n];
    for (int i = 0; i < users.length; i++) {
      float found = judgements.found(users[i]);
      for (int c = 0; c < n; c++) {
        labels[i * n + c] = judgements.labels()[users[i] * n + c] / found;
      }
    }
    return batch(
        scope, model, data, users, HostArrays.floats(scope.manager(), labels, users.length, n));
  }

  @Override
  public NDArray loss(ParameterStore values, MixBatch batch) {
    NDArray scores =
        model
            .scores(values, batch.users(), batch.items(), batch.confidence(), batch.normalised())
            .add(batch.padding());
    NDArray labels = batch.labels();
    if (labels == null) {
      throw new IllegalStateException("a batch without labels has no loss");
    }
    return scores.logSoftmax(1).mul(labels).sum(new int[] {1}).neg();
  }

  /** The scores of these users' candidates (users * N) at the model's present parameters. */
  static float[] scores(Scope session, MixModel model, MixData data, int[] users) {
    int n = data.evidence().numCandidates();
    float[] all = new float[users.length * n];
    for (int start = 0; start < users.length; start += CHUNK) {
      int[] chunk = Arrays.copyOfRange(users, start, Math.min(users.length, start + CHUNK));
      try (Scope step = session.child()) {
        MixBatch batch = batch(step, model, data, chunk, null);
        NDArray scores =
            model.scores(
                new ParameterValues(step.manager()),
                batch.users(),
                batch.items(),
                batch.confidence(),
                batch.normalised());
        float[] values = HostArrays.toFloats(scores);
        System.arraycopy(values, 0, all, start * n, values.length);
      }
    }
    return all;
  }

  /**
   * Adds what a model that depends on the item gives for all candidates, at its present parameters.
   *
   * @param weights (U * N * M) to which the weights are added
   * @param biases (U * N) to which the additive terms are added
   */
  static void addOutputs(
      Scope session, MixModel model, MixData data, float[] weights, float[] biases) {
    int n = data.evidence().numCandidates();
    for (int start = 0; start < data.size(); start += CHUNK) {
      int[] chunk = IntStream.range(start, Math.min(data.size(), start + CHUNK)).toArray();
      try (Scope step = session.child()) {
        MixBatch batch = batch(step, model, data, chunk, null);
        MixModel.Outputs outputs =
            model.outputs(
                new ParameterValues(step.manager()),
                batch.users(),
                batch.items(),
                batch.confidence());
        NDArray bias = outputs.bias();
        if (bias != null) {
          add(HostArrays.toFloats(bias), biases, start * n);
        }
        add(
            HostArrays.toFloats(outputs.weights()),
            weights,
            start * n * data.evidence().numStrategies());
      }
    }
  }

  private static void add(float[] values, float[] sums, int at) {
    for (int i = 0; i < values.length; i++) {
      sums[at + i] += values[i];
    }
  }

  private static MixBatch batch(
      Scope scope, MixModel model, MixData data, int[] users, @Nullable NDArray labels) {
    Evidence evidence = data.evidence();
    int size = users.length;
    int n = evidence.numCandidates();
    int numStrategies = evidence.numStrategies();
    float[] padding = new float[size * n];
    float[] ones = new float[size];
    float[] confidence = new float[size];
    Arrays.fill(ones, 1);
    for (int i = 0; i < size; i++) {
      confidence[i] = data.confidence()[users[i]];
      Arrays.fill(padding, i * n + evidence.length(users[i]), (i + 1) * n, PADDING_SCORE);
    }
    MixShape shape = model.shape();
    float[] items = data.items();
    return new MixBatch(
        size,
        ones,
        rows(scope, data.users(), users, shape.userWidth(), size, shape.userWidth()),
        items == null
            ? HostArrays.floats(scope.manager(), ones, size, 1)
            : rows(scope, items, users, n * shape.itemWidth(), size * n, shape.itemWidth()),
        HostArrays.floats(scope.manager(), confidence, size, 1),
        rows(scope, data.normalised(), users, n * numStrategies, size, n, numStrategies),
        HostArrays.floats(scope.manager(), padding, size, n),
        labels);
  }

  /** The rows of these users, each so wide, as a tensor of the shape. */
  private static NDArray rows(Scope scope, float[] values, int[] users, int width, long... shape) {
    float[] chosen = new float[users.length * width];
    for (int i = 0; i < users.length; i++) {
      System.arraycopy(values, users[i] * width, chosen, i * width, width);
    }
    return HostArrays.floats(scope.manager(), chosen, shape);
  }
}
