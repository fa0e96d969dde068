package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.training.ParameterStore;
import io.sextant.data.Interactions;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.PackedSequences;
import io.sextant.nn.SequenceEncoder;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Learning a sequence encoder: every interaction but a user's first is predicted once, from those
 * before it, by a softmax over the item itself and negatives that the batch shares, corrected by
 * their sampling probability (Bengio and Senecal, IEEE TNN 2008; for sequences: Klenitskiy and
 * Vasilev, RecSys 2023).
 *
 * <p>An example is a user's sequence; one that is longer than the encoder reads is cut into several
 * so that each target belongs to one of them. The loss of an example is the sum over its positions,
 * divided by the mean number of positions, so that the mean over a batch is that over positions.
 * The weight of an interaction multiplies the loss of its position.
 *
 * <p>A batch of N tokens and C negatives costs O(N D C) beside the encoder's own pass; the size of
 * the catalogue does not matter.
 *
 * <p>Thread safety: used by one thread at a time.
 */
public final class SequenceTask
    implements InteractionTask<SequenceBatch>, DivisibleTask<SequenceBatch>, ResidentForm.Task {

  private final Scope session;
  private final SequenceEncoder encoder;
  private final List<NamedParameter> parameters;
  private final Interactions interactions;
  private final SequenceSampling sampling;
  private final long seed;
  private final SequenceWindows windows;
  private final SeenItems seen;
  private final ItemSampler sampler;
  private final double[] targetShare;
  private final DropoutPool dropout;
  private final RowCollector items;
  private int @Nullable [] windowOfRow;

  /**
   * A task.
   *
   * @param session the lifetime of what the training draws once
   * @param interactions the rows to learn from, over the encoder's items
   */
  public SequenceTask(
      Scope session,
      SequenceEncoder encoder,
      Interactions interactions,
      SequenceSampling sampling,
      long seed) {
    this(session, encoder, interactions, sampling, encoder.options().dropout(), seed);
  }

  private SequenceTask(
      Scope session,
      SequenceEncoder encoder,
      Interactions interactions,
      SequenceSampling sampling,
      float dropoutRate,
      long seed) {
    this.session = session;
    this.encoder = encoder;
    this.parameters = encoder.namedParameters();
    this.interactions = interactions;
    this.sampling = sampling;
    this.seed = seed;
    windows = SequenceWindows.of(interactions, encoder.options().historyLength());
    seen = new SeenItems(interactions);
    sampler = new ItemSampler(interactions.itemCounts(), sampling.popularityPower());
    targetShare = targetShare(interactions, windows.positions());
    dropout = new DropoutPool(session, dropoutRate, seed);
    items = new RowCollector(interactions.numItems());
  }

  private static double[] targetShare(Interactions interactions, int positions) {
    double[] share = new double[interactions.numItems()];
    for (int user = 0; user < interactions.numUsers(); user++) {
      for (int row = interactions.start(user) + 1; row < interactions.end(user); row++) {
        share[interactions.itemAt(row)] += 1.0 / positions;
      }
    }
    return share;
  }

  @Override
  public int numExamples() {
    return windows.size();
  }

  @Override
  public List<NamedParameter> parameters() {
    return parameters;
  }

  @Override
  public SequenceBatch prepare(Scope scope, int[] examples, long step) {
    return prepare(scope, examples, 0, examples.length, step);
  }

  @Override
  public SequenceBatch prepare(Scope scope, int[] examples, int from, int to, long step) {
    return new Preparation(scope.manager(), examples, from, to, step).batch();
  }

  @Override
  public Interactions interactions() {
    return interactions;
  }

  @Override
  public int[] rowsOf(int[] examples) {
    int[] rows = new int[Arrays.stream(examples).map(windows::length).sum()];
    int n = 0;
    for (int example : examples) {
      for (int row = windows.firsts()[example] + 1; row <= windows.lasts()[example]; row++) {
        rows[n++] = row;
      }
    }
    return rows;
  }

  @Override
  public int[] examplesOf(int[] rows) {
    int[] windowOf = windowOfRow();
    return Arrays.stream(rows)
        .map(row -> windowOf[row])
        .filter(window -> window >= 0)
        .distinct()
        .toArray();
  }

  /** The example whose target each row is; -1 for a user's first. */
  private int[] windowOfRow() {
    int[] windowOf = windowOfRow;
    if (windowOf == null) {
      windowOf = new int[interactions.size()];
      Arrays.fill(windowOf, -1);
      for (int window = 0; window < numExamples(); window++) {
        Arrays.fill(windowOf, windows.firsts()[window] + 1, windows.lasts()[window] + 1, window);
      }
      windowOfRow = windowOf;
    }
    return windowOf;
  }

  @Override
  public float[] rowWeights(SequenceBatch batch) {
    return batch.rowWeights();
  }

  @Override
  public float[] rowLosses(ParameterStore values, SequenceBatch batch) {
    return batch.ofTokens(HostArrays.toFloats(tokenLosses(encoder, values, batch.read())));
  }

  @Override
  public SequenceBatch weighed(Scope scope, SequenceBatch batch, float[] factors) {
    return batch.weighed(scope.manager(), factors);
  }

  /** Without dropout: it makes a judge noisier and no stricter. */
  @Override
  public SequenceTask over(Interactions other, long otherSeed) {
    return new SequenceTask(session, encoder, other, sampling, 0, otherSeed);
  }

  @Override
  public NDArray loss(ParameterStore values, SequenceBatch batch) {
    return tokenLosses(encoder, values, batch.read()).mul(batch.tokenWeights()).sum(new int[] {1});
  }

  /** Where Java cannot walk the table of items. */
  @Override
  public @Nullable ResidentForm residentForm(Scope scope) {
    for (NamedParameter parameter : parameters) {
      if (parameter.table() && RowOptimizer.onHost(parameter.parameter().getArray())) {
        return null;
      }
    }
    return resident(scope, null);
  }

  @Override
  public boolean residentFormRecords() {
    return true;
  }

  /**
   * The form wherever the table is.
   *
   * @param drawn where negatives come from; null to draw them on the device
   */
  ResidentForm resident(Scope scope, @Nullable SharedNegatives drawn) {
    int numItems = interactions.numItems();
    float[] drawnShare = new float[numItems];
    float[] batchShare = new float[numItems];
    for (int item = 0; item < numItems; item++) {
      drawnShare[item] = (float) sampler.probability(item);
      batchShare[item] = (float) targetShare[item];
    }
    SharedNegatives negatives =
        drawn == null
            ? new ResidentSharedDraws(scope, sampler, numItems, sampling.negatives(), seed)
            : drawn;
    return new ResidentSequences(
        scope,
        encoder,
        interactions,
        sampling,
        windows,
        seen,
        dropout,
        new ResidentColumns(scope, negatives, sampling.negatives(), drawnShare, batchShare));
  }

  /** The loss of each token (B, S), without weights. */
  static NDArray tokenLosses(SequenceEncoder encoder, ParameterStore values, SequenceTokens batch) {
    NDArray queries = encoder.encode(values, batch.input(), batch.dropout());
    NDArray vectors = encoder.itemVectors(values);
    NDArray positive =
        queries.mul(RowOptimizer.gather(vectors, batch.targets())).sum(new int[] {1}, true);
    NDArray columns = vectors.get(new NDIndex("0:{}", batch.columns()));
    NDArray negative = queries.matMul(columns.transpose()); // (N, columns)
    // In place: the gradient needs neither the scores nor what is added to them.
    negative.addi(RowOptimizer.gather(batch.corrections(), batch.examples()));
    NDArray perToken =
        NDArrays.concat(new NDList(positive, negative), 1)
            .logSoftmax(1)
            .get(new NDIndex(":, 0:1"))
            .neg();
    return RowOptimizer.gather(perToken, batch.tokens()).squeeze(2);
  }

  /** One batch in the making. */
  private final class Preparation {
    private final NDManager manager;
    private final int[] ofStep;
    private final int[] examples;
    private final int from;
    private final long step;

    Preparation(NDManager manager, int[] ofStep, int from, int to, long step) {
      this.manager = manager;
      this.ofStep = ofStep;
      this.examples = Arrays.copyOfRange(ofStep, from, to);
      this.from = from;
      this.step = step;
    }

    SequenceBatch batch() {
      items.clear();
      CounterRandom random = new CounterRandom(seed, "negatives", step);
      for (int n = 0; n < sampling.negatives(); n++) {
        items.add(sampler.draw(random), timesShared());
      }
      int fromBatch = addTargets();
      int columns = items.size();
      PackedSequences packed = new PackedSequences(inputs());
      int numTokens = packed.numTokens();
      int[] tokenItems = new int[numTokens];
      int[] targets = new int[numTokens];
      int[] exampleOfToken = new int[numTokens];
      int[] lengths = new int[examples.length];
      int longest = 1;
      for (int e = 0; e < examples.length; e++) {
        int length = windows.length(examples[e]);
        int first = windows.firsts()[examples[e]];
        lengths[e] = length;
        longest = Math.max(longest, length);
        for (int i = 0; i < length; i++) {
          int token = packed.start(e) + i;
          tokenItems[token] = items.add(interactions.itemAt(first + i));
          targets[token] = items.add(interactions.itemAt(first + i + 1));
          exampleOfToken[token] = e;
        }
      }
      float[] corrections = corrections(columns, fromBatch);
      int[] tokens = new int[examples.length * longest];
      int[] rows = rowsOf(examples);
      float[] rowWeights = new float[rows.length];
      float[] weights = new float[examples.length];
      Arrays.fill(weights, 1);
      float perPosition = windows.perPosition();
      for (int e = 0; e < examples.length; e++) {
        for (int i = 0; i < lengths[e]; i++) {
          tokens[e * longest + i] = packed.start(e) + i;
        }
      }
      for (int p = 0; p < rows.length; p++) {
        rowWeights[p] = perPosition * interactions.weightAt(rows[p]);
      }
      return new SequenceBatch(
          examples.length,
          weights,
          Map.of("item.id", items.toRowSet(manager)),
          packed.input(manager, tokenItems),
          dropout.ofPart(step, from),
          HostArrays.longs(manager, targets, numTokens),
          columns,
          HostArrays.longs(manager, exampleOfToken, numTokens),
          HostArrays.floats(manager, corrections, examples.length, columns),
          lengths,
          rowWeights,
          HostArrays.longs(manager, tokens, examples.length, longest),
          SequenceBatch.laidOut(manager, lengths, rowWeights));
    }

    /** What all parts of a step share is counted as read by the first of them. */
    private int timesShared() {
      return from == 0 ? 1 : 0;
    }

    /** Adds targets of the step to the negatives; returns of how many positions. */
    private int addTargets() {
      int count = 0;
      for (int example : ofStep) {
        for (int row = windows.firsts()[example] + 1; row <= windows.lasts()[example]; row++) {
          if (count == sampling.inBatch()) {
            return count;
          }
          items.add(interactions.itemAt(row), timesShared());
          count++;
        }
      }
      return count;
    }

    private int[][] inputs() {
      int[][] inputs = new int[examples.length][];
      for (int e = 0; e < examples.length; e++) {
        inputs[e] = new int[windows.length(examples[e])];
        for (int i = 0; i < inputs[e].length; i++) {
          inputs[e][i] = interactions.itemAt(windows.firsts()[examples[e]] + i);
        }
      }
      return inputs;
    }

    private float[] corrections(int columns, int fromBatch) {
      float[] line = new float[columns];
      for (int c = 0; c < columns && sampling.logQ(); c++) {
        int item = items.row(c);
        double expected =
            sampling.negatives() * sampler.probability(item) + fromBatch * targetShare[item];
        // The probability that at least one of many rare draws is this item.
        line[c] = (float) -Math.log(-Math.expm1(-expected));
      }
      float[] corrections = new float[examples.length * columns];
      for (int e = 0; e < examples.length; e++) {
        System.arraycopy(line, 0, corrections, e * columns, columns);
        int user = windows.users()[examples[e]];
        for (int s = seen.start(user); s < seen.end(user); s++) {
          int local = items.localOf(seen.itemAt(s));
          if (local >= 0 && local < columns) {
            corrections[e * columns + local] = Float.NEGATIVE_INFINITY;
          }
        }
      }
      return corrections;
    }
  }
}
