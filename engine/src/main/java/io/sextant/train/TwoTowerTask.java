package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.nn.Activation;
import ai.djl.training.ParameterStore;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.EntityInput;
import io.sextant.nn.HistoryInput;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.RowSet;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Learning a two-tower model from interactions: each row is a positive example, negatives are
 * sampled, and the objective compares them (algorithms: see {@link Objective}).
 *
 * <p>A batch of B examples costs O(B (L + n) D) for own negatives and O(B N D) for shared ones,
 * with L the history's length; the sizes of the tables do not matter.
 *
 * <p>Thread safety: used by one thread at a time.
 */
public final class TwoTowerTask
    implements InteractionTask<TwoTowerBatch>,
        DivisibleTask<TwoTowerBatch>,
        ClosedForm.Task,
        ResidentForm.Task {

  private final TwoTower model;
  private final List<NamedParameter> parameters;
  private final Interactions interactions;
  private final EntityFeatures userFeatures;
  private final EntityFeatures itemFeatures;
  private final SamplingOptions options;
  private final float offset;
  private final long seed;
  private final int[] userOfRow;
  private final float[] weightOfRow;
  private final SeenItems seen;
  private final ItemSampler sampler;
  private final Negatives negatives;
  private final double[] inBatchShare;
  private final Rows rows;
  private @Nullable FactorForm form;
  private @Nullable StepItems stepItems;

  /**
   * A task.
   *
   * @param interactions the rows to learn from; users and items count as in the model
   * @param offset the global bias: subtracted from values before they are learned
   * @throws InvalidInputException if the objective needs values that rows do not have
   */
  public TwoTowerTask(
      TwoTower model,
      Interactions interactions,
      EntityFeatures userFeatures,
      EntityFeatures itemFeatures,
      SamplingOptions options,
      float offset,
      long seed) {
    this.model = model;
    this.parameters = model.namedParameters();
    this.interactions = interactions;
    this.userFeatures = userFeatures;
    this.itemFeatures = itemFeatures;
    this.options = options;
    this.offset = offset;
    this.seed = seed;
    userOfRow = interactions.userOfRow();
    weightOfRow = weights(interactions, options);
    seen = new SeenItems(interactions);
    int[] counts = interactions.itemCounts();
    // An item of which only features are known was not there to be passed over: no negative.
    sampler =
        new ItemSampler(counts, options.popularityPower(), item -> !itemFeatures.describes(item));
    negatives = new Negatives(options, sampler, seen, counts.length, seed);
    inBatchShare = new double[counts.length];
    for (int i = 0; i < counts.length; i++) {
      inBatchShare[i] = (double) counts[i] / Math.max(1, interactions.size());
    }
    rows = new Rows();
    if (options.objective() == Objective.SQUARED_ERROR) {
      for (int row = 0; row < interactions.size(); row++) {
        if (!Float.isFinite(interactions.valueAt(row))) {
          throw new InvalidInputException(
              "objective SQUARED_ERROR needs a value for every interaction, but user '%s' and item '%s' have none; name the column of the ratings, or choose another objective"
                  .formatted(
                      interactions.users().idOf(userOfRow[row]),
                      interactions.items().idOf(interactions.itemAt(row))));
        }
      }
    }
  }

  private static float[] weights(Interactions interactions, SamplingOptions options) {
    float[] weights = new float[interactions.size()];
    boolean decays = Double.isFinite(options.recencyHalfLifeDays()) && interactions.hasTimes();
    double halfLife = options.recencyHalfLifeDays() * TimeUnit.DAYS.toMillis(1);
    double sum = 0;
    for (int row = 0; row < weights.length; row++) {
      double weight = interactions.weightAt(row);
      if (decays) {
        weight *= Math.pow(0.5, (interactions.maxTime() - interactions.timeAt(row)) / halfLife);
      }
      weights[row] = (float) weight;
      sum += weight;
    }
    if (decays && sum > 0) {
      // Mean 1, so that step sizes mean the same with and without decay.
      float scale = (float) (weights.length / sum);
      for (int row = 0; row < weights.length; row++) {
        weights[row] *= scale;
      }
    }
    return weights;
  }

  @Override
  public TwoTowerTask over(Interactions other, long otherSeed) {
    return new TwoTowerTask(
        model, other, userFeatures, itemFeatures, options.withoutRecency(), offset, otherSeed);
  }

  @Override
  public Interactions interactions() {
    return interactions;
  }

  /** Example e is row e. */
  @Override
  public int[] rowsOf(int[] examples) {
    return examples;
  }

  @Override
  public int[] examplesOf(int[] rows) {
    return rows;
  }

  @Override
  public float[] rowWeights(TwoTowerBatch batch) {
    return batch.weights();
  }

  @Override
  public float[] rowLosses(ParameterStore values, TwoTowerBatch batch) {
    return HostArrays.toFloats(loss(values, batch));
  }

  @Override
  public TwoTowerBatch weighed(Scope scope, TwoTowerBatch batch, float[] factors) {
    return batch.weighed(factors);
  }

  @Override
  public int numExamples() {
    return interactions.size();
  }

  @Override
  public List<NamedParameter> parameters() {
    return parameters;
  }

  @Override
  public TwoTowerBatch prepare(Scope scope, int[] examples, long step) {
    return new Preparation(scope.manager(), examples, 0, examples.length, step, null).batch();
  }

  @Override
  public TwoTowerBatch prepare(Scope scope, int[] examples, int from, int to, long step) {
    if (stepItems == null) {
      stepItems = new StepItems(interactions, userOfRow, options, negatives, seed);
    }
    stepItems.draw(examples, step);
    return new Preparation(scope.manager(), examples, from, to, step, stepItems).batch();
  }

  /** Always the same one, so that a look-ahead and the step behind it share what they draw. */
  @Override
  public @Nullable FactorForm closedForm() {
    if (form == null) {
      form =
          FactorForm.of(
              model, interactions, options, negatives, weightOfRow, offset, rows.users, rows.items);
    }
    return form;
  }

  /** Where Java cannot walk the tables. */
  @Override
  public @Nullable ResidentForm residentForm(Scope session) {
    FactorTables tables = factorTables();
    return tables == null || tables.onHost() ? null : resident(session, tables, null, null);
  }

  /** The tables, if the model is matrix factorisation and no more. */
  @Nullable FactorTables factorTables() {
    return FactorTables.of(model, options);
  }

  /**
   * The form wherever the tables are.
   *
   * @param own where negatives of each example come from; null to draw them on the device
   * @param shared where negatives that examples share come from; null to draw them on the device
   */
  ResidentForm resident(
      Scope session,
      FactorTables tables,
      @Nullable ResidentNegatives own,
      @Nullable SharedNegatives shared) {
    return new ResidentSetup(
            interactions,
            options,
            model.options().temperature(),
            weightOfRow,
            offset,
            seed,
            sampler,
            seen,
            inBatchShare)
        .form(session, tables, own, shared);
  }

  @Override
  public NDArray loss(ParameterStore values, TwoTowerBatch batch) {
    NDArray users = model.encodeUsers(values, batch.users(), batch.history());
    NDArray items = model.encodeItems(values, batch.items());
    NDArray positive = users.mul(RowOptimizer.gather(items, batch.positives())).sum(new int[] {1});
    return switch (options.objective()) {
      case SQUARED_ERROR -> Grad.times(required(batch.values()).sub(positive).square(), 0.5f);
      case BPR ->
          Activation.softPlus(ownNegativeScores(users, items, batch).sub(positive.expandDims(1)))
              .mean(new int[] {1});
      case BCE -> {
        NDArray negative =
            Activation.softPlus(ownNegativeScores(users, items, batch)).sum(new int[] {1});
        yield Grad.times(
            Activation.softPlus(positive.neg()).add(negative), 1f / (1 + options.negatives()));
      }
      case SAMPLED_SOFTMAX, FULL_SOFTMAX -> softmax(users, items, positive, batch);
    };
  }

  private NDArray ownNegativeScores(NDArray users, NDArray items, TwoTowerBatch batch) {
    NDArray vectors = RowOptimizer.gather(items, required(batch.negatives())); // (B, n, D)
    return vectors.batchMatMul(users.expandDims(2)).squeeze(2);
  }

  private static NDArray softmax(
      NDArray users, NDArray items, NDArray positive, TwoTowerBatch batch) {
    NDArray columns =
        batch.columns() == items.getShape().get(0)
            ? items
            : items.get(new NDIndex("0:{}", batch.columns()));
    NDArray scores = users.matMul(columns.transpose()); // (B, columns)
    if (batch.logExpected() != null) {
      scores = scores.sub(batch.logExpected());
    }
    NDArray nothing = users.getManager().create(Float.NEGATIVE_INFINITY);
    scores = scores.getNDArrayInternal().where(required(batch.allowed()), nothing);
    NDArray all = NDArrays.concat(new NDList(positive.expandDims(1), scores), 1);
    return all.logSoftmax(1).get(new NDIndex(":, 0")).neg();
  }

  private static NDArray required(@Nullable NDArray array) {
    if (array == null) {
      throw new IllegalStateException("the batch was prepared for another objective");
    }
    return array;
  }

  /** The stamps by which distinct rows are found; as large as the tables, so made once. */
  private final class Rows {
    final RowCollector items = new RowCollector(interactions.numItems());
    final @Nullable RowCollector users =
        model.options().userIds() ? new RowCollector(interactions.numUsers()) : null;
    final @Nullable RowCollector history =
        model.options().history() == TwoTowerOptions.History.OWN
            ? new RowCollector(interactions.numItems())
            : null;
    final List<RowCollector> userCodes = collectors(userFeatures);
    final List<RowCollector> itemCodes = collectors(itemFeatures);

    private static List<RowCollector> collectors(EntityFeatures features) {
      List<RowCollector> collectors = new ArrayList<>();
      for (EntityFeatures.Codes codes : features.codes()) {
        collectors.add(new RowCollector(codes.vocabularySize()));
      }
      return collectors;
    }
  }

  /** One batch in the making. */
  private final class Preparation {
    private final NDManager manager;
    private final int[] examples;
    private final int from;
    private final int to;
    private final int stepSize;
    private final long step;
    private final @Nullable StepItems ofStep;
    private final Map<String, RowSet> rowSets = new HashMap<>();

    /**
     * @param ofStep the items of all parts, or null if the step has one part
     */
    Preparation(
        NDManager manager, int[] all, int from, int to, long step, @Nullable StepItems ofStep) {
      this.manager = manager;
      this.examples = ofStep == null ? all : Arrays.copyOfRange(all, from, to);
      this.from = from;
      this.to = to;
      this.stepSize = all.length;
      this.step = step;
      this.ofStep = ofStep;
    }

    TwoTowerBatch batch() {
      int size = examples.length;
      float[] weights = new float[size];
      int[] users = new int[size];
      for (int e = 0; e < size; e++) {
        weights[e] = weightOfRow[examples[e]];
        users[e] = userOfRow[examples[e]];
      }

      rows.items.clear();
      int[] drawn =
          ofStep == null
              ? negatives.draw(rows.items, users, step)
              : ofStep.addNegatives(rows.items, from, to);
      int columns = rows.items.size();
      if (options.inBatch() && ofStep != null) {
        ofStep.addPositives(rows.items);
      }
      int[] positives = new int[size];
      for (int e = 0; e < size; e++) {
        positives[e] = rows.items.add(interactions.itemAt(examples[e]));
      }
      if (options.inBatch()) {
        columns = rows.items.size();
      }
      int[] tower = rows.items.rows();
      boolean shared = options.objective().sharedNegatives();
      NDArray allowed = shared ? allowed(users, positives, columns) : null;
      // The bias is read for tower items only, the vectors also for items of histories.
      rowSets.put("item.bias", rows.items.toRowSet(manager));
      HistoryInput history = history(users);
      rowSets.put("item.id", rows.items.toRowSet(manager));

      EntityInput userInput = userInput(users);
      EntityInput itemInput = itemInput(tower);
      return new TwoTowerBatch(
          size,
          weights,
          rowSets,
          userInput,
          history,
          itemInput,
          HostArrays.longs(manager, positives, size),
          options.objective().ownNegatives()
              ? HostArrays.longs(manager, drawn, size, options.negatives())
              : null,
          columns,
          shared && options.logQ() && options.objective() == Objective.SAMPLED_SOFTMAX
              ? logExpected(tower, columns)
              : null,
          allowed,
          options.objective() == Objective.SQUARED_ERROR ? values() : null);
    }

    private NDArray allowed(int[] users, int[] positives, int columns) {
      byte[] allowed = new byte[users.length * columns];
      Arrays.fill(allowed, (byte) 1);
      for (int e = 0; e < users.length; e++) {
        int start = e * columns;
        if (positives[e] < columns) {
          allowed[start + positives[e]] = 0;
        }
        if (options.excludeSeen()) {
          for (int p = seen.start(users[e]); p < seen.end(users[e]); p++) {
            int local = rows.items.localOf(seen.itemAt(p));
            if (local >= 0 && local < columns) {
              allowed[start + local] = 0;
            }
          }
        }
      }
      return HostArrays.booleans(manager, allowed, users.length, columns);
    }

    private NDArray logExpected(int[] tower, int columns) {
      float[] logs = new float[columns];
      for (int c = 0; c < columns; c++) {
        double expected = options.negatives() * sampler.probability(tower[c]);
        if (options.inBatch()) {
          expected += stepSize * inBatchShare[tower[c]];
        }
        logs[c] = (float) Math.log(Math.min(1, expected));
      }
      return HostArrays.floats(manager, logs, 1, columns);
    }

    private NDArray values() {
      float[] values = new float[examples.length];
      for (int e = 0; e < values.length; e++) {
        values[e] = interactions.valueAt(examples[e]) - offset;
      }
      return HostArrays.floats(manager, values, values.length);
    }

    private @Nullable HistoryInput history(int[] users) {
      TwoTowerOptions shape = model.options();
      if (shape.history() == TwoTowerOptions.History.NONE) {
        return null;
      }
      int[][] histories = new int[users.length][];
      for (int e = 0; e < users.length; e++) {
        histories[e] = historyOf(users[e], examples[e]);
      }
      Histories batch = new Histories(histories, shape);
      RowCollector table =
          switch (shape.history()) {
            case NONE -> null;
            case SHARED -> rows.items;
            case OWN -> rows.history;
          };
      if (rows.history != null) {
        rows.history.clear();
      }
      int[] items = batch.items(table);
      int[] last = batch.last(table);
      if (rows.history != null) {
        rowSets.put("user.history", rows.history.toRowSet(manager));
      }
      return batch.input(manager, items, last);
    }

    private int[] historyOf(int user, int row) {
      int length = model.options().historyLength();
      int start = interactions.start(user);
      int end =
          options.history() == SamplingOptions.HistoryView.PAST ? row : interactions.end(user);
      int[] items = new int[Math.min(length, end - start)];
      int at = items.length;
      for (int r = end - 1; r >= start && at > 0; r--) {
        if (r != row) {
          items[--at] = interactions.itemAt(r);
        }
      }
      return at == 0 ? items : Arrays.copyOfRange(items, at, items.length);
    }

    private EntityInput userInput(int[] users) {
      int[] locals = new int[users.length];
      if (rows.users != null) {
        rows.users.clear();
        for (int e = 0; e < users.length; e++) {
          locals[e] = rows.users.add(users[e]);
        }
        RowSet rowSet = rows.users.toRowSet(manager);
        rowSets.put("user.id", rowSet);
        rowSets.put("user.bias", rowSet);
      }
      float[] keep = new float[users.length];
      Arrays.fill(keep, 1);
      if (options.idDropout() > 0) {
        CounterRandom random = new CounterRandom(seed, "user-id-dropout", step);
        for (int e = 0; e < to; e++) {
          float kept = random.nextFloat() < options.idDropout() ? 0 : 1;
          if (e >= from) {
            keep[e - from] = kept;
          }
        }
      }
      return entityInput("user", users, locals, keep, userFeatures, rows.userCodes);
    }

    private EntityInput itemInput(int[] tower) {
      int[] locals = new int[tower.length];
      Arrays.setAll(locals, i -> i);
      float[] keep = new float[tower.length];
      Arrays.fill(keep, 1);
      if (options.itemIdDropout() > 0) {
        CounterRandom random = new CounterRandom(seed, "item-id-dropout", step);
        for (int i = 0; i < keep.length; i++) {
          keep[i] =
              ofStep != null
                  ? ofStep.keep(tower[i])
                  : random.nextFloat() < options.itemIdDropout() ? 0 : 1;
        }
      }
      return entityInput("item", tower, locals, keep, itemFeatures, rows.itemCodes);
    }

    private EntityInput entityInput(
        String name,
        int[] entities,
        int[] locals,
        float[] keep,
        EntityFeatures features,
        List<RowCollector> collectors) {
      int size = entities.length;
      boolean items = name.equals("item");
      List<NDArray> codes = new ArrayList<>();
      List<NDArray> codeWeights = new ArrayList<>();
      for (int c = 0; c < collectors.size(); c++) {
        EntityFeatures.Codes column = features.codes().get(c);
        RowCollector collector = collectors.get(c);
        collector.clear();
        int width = column.width();
        int[] local = new int[size * width];
        float[] weights = new float[size * width];
        for (int i = 0; i < size; i++) {
          // An item is described once a step, however many of its parts meet it.
          int times = !items || ofStep == null || ofStep.firstMetIn(entities[i], from, to) ? 1 : 0;
          for (int m = 0; m < width; m++) {
            int at = entities[i] * width + m;
            local[i * width + m] = collector.add(column.codes()[at], times);
            weights[i * width + m] = column.weights()[at];
          }
        }
        rowSets.put(name + ".code." + column.name(), collector.toRowSet(manager));
        codes.add(HostArrays.longs(manager, local, size, width));
        codeWeights.add(HostArrays.floats(manager, weights, size, width));
      }
      return new EntityInput(
          HostArrays.longs(manager, locals, size),
          HostArrays.floats(manager, keep, size, 1),
          HostArrays.longs(manager, entities, size),
          codes,
          codeWeights);
    }
  }
}
