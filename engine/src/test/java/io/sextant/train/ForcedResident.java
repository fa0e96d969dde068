package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import io.sextant.data.Interactions;
import io.sextant.nn.NamedParameter;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A task that is trained by its resident form, wherever its tables are, or without one by recorded
 * steps alone; it counts how many batches were prepared on the host.
 */
class ForcedResident<B extends Batch> implements InteractionTask<B>, ResidentForm.Task {

  private final InteractionTask<B> task;
  private final @Nullable Function<Scope, ResidentForm> form;
  @Nullable ResidentForm last;
  @Nullable Scope session;
  int prepared;

  /**
   * @param form makes the form for a session; null for none
   */
  ForcedResident(InteractionTask<B> task, @Nullable Function<Scope, ResidentForm> form) {
    this.task = task;
    this.form = form;
  }

  /** With given draws; null for those of the device. */
  static ForcedResident<TwoTowerBatch> of(
      TwoTowerTask task, @Nullable ResidentNegatives own, @Nullable SharedNegatives shared) {
    return new ForcedResident<>(
        task,
        session ->
            task.resident(session, Objects.requireNonNull(task.factorTables()), own, shared));
  }

  /** The draws of the CPU's path, for batches of this size. */
  static ResidentNegatives hostDraws(
      Interactions data, SamplingOptions options, long seed, int batchSize) {
    ItemSampler sampler = new ItemSampler(data.itemCounts(), options.popularityPower());
    Negatives negatives =
        new Negatives(options, sampler, new SeenItems(data), data.numItems(), seed);
    int perEpoch = (data.size() + batchSize - 1) / batchSize;
    return (step, users, first) -> {
      int[] all = ints(users);
      int[] drawn = new int[all.length * options.negatives()];
      for (int from = 0; from < all.length; from += batchSize) {
        long example = first + from;
        int[] batch = Arrays.copyOfRange(all, from, Math.min(all.length, from + batchSize));
        RowCollector items = new RowCollector(data.numItems());
        items.clear();
        long number = example / data.size() * perEpoch + example % data.size() / batchSize;
        int[] locals = negatives.draw(items, batch, number);
        for (int i = 0; i < locals.length; i++) {
          drawn[from * options.negatives() + i] = items.rows()[locals[i]];
        }
      }
      return HostArrays.longs(step.manager(), drawn, all.length, options.negatives());
    };
  }

  /** The draws of the CPU's path. */
  static SharedNegatives hostSharedDraws(
      Interactions data, float popularityPower, int negatives, long seed) {
    ItemSampler sampler = new ItemSampler(data.itemCounts(), popularityPower);
    return (scope, first, steps) -> {
      int[] drawn = new int[steps * negatives];
      for (int step = 0; step < steps; step++) {
        CounterRandom random = new CounterRandom(seed, "negatives", first + step);
        for (int n = 0; n < negatives; n++) {
          drawn[step * negatives + n] = sampler.draw(random);
        }
      }
      return HostArrays.longs(scope.manager(), drawn, steps, negatives);
    };
  }

  static int[] ints(NDArray array) {
    return Arrays.stream(array.toLongArray()).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public @Nullable ResidentForm residentForm(Scope session) {
    this.session = session;
    last = form == null ? null : form.apply(session);
    return last;
  }

  @Override
  public B prepare(Scope scope, int[] examples, long step) {
    prepared++;
    return task.prepare(scope, examples, step);
  }

  @Override
  public int numExamples() {
    return task.numExamples();
  }

  @Override
  public List<NamedParameter> parameters() {
    return task.parameters();
  }

  @Override
  public NDArray loss(ParameterStore values, B batch) {
    return task.loss(values, batch);
  }

  @Override
  public Interactions interactions() {
    return task.interactions();
  }

  @Override
  public int[] rowsOf(int[] examples) {
    return task.rowsOf(examples);
  }

  @Override
  public int[] examplesOf(int[] rows) {
    return task.examplesOf(rows);
  }

  @Override
  public float[] rowWeights(B batch) {
    return task.rowWeights(batch);
  }

  @Override
  public float[] rowLosses(ParameterStore values, B batch) {
    return task.rowLosses(values, batch);
  }

  @Override
  public B weighed(Scope scope, B batch, float[] factors) {
    return task.weighed(scope, batch, factors);
  }

  @Override
  public InteractionTask<B> over(Interactions other, long seed) {
    return task.over(other, seed);
  }
}
