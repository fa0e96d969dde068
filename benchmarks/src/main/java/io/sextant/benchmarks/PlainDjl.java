package io.sextant.benchmarks;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.PairList;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** The peer: matrix factorisation as DJL's own blocks, trainer and Adam do it. Not thread-safe. */
final class PlainDjl implements Training {

  private final Model model;
  private final Trainer trainer;
  private final Workload workload;
  private final Sizes sizes;
  private int step;
  private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);

  PlainDjl(Workload workload, Device device) {
    this.workload = workload;
    sizes = workload.sizes();
    model = Model.newInstance("plain", device, "PyTorch");
    model.setBlock(new Factors(sizes));
    trainer =
        model.newTrainer(
            new DefaultTrainingConfig(Loss.l2Loss())
                .optDevices(new Device[] {device})
                .optOptimizer(
                    Optimizer.adam().optLearningRateTracker(Tracker.fixed(0.001f)).build()));
    trainer.initialize(
        new Shape(sizes.batch()), new Shape(sizes.batch()), new Shape(sizes.batch()));
  }

  /** A turn is one step, on the next batch of the workload. */
  @Override
  public Outcome train() {
    long start = System.nanoTime();
    int from = step++ % workload.steps() * sizes.batch();
    float loss;
    try (NDManager manager = model.getNDManager().newSubManager()) {
      NDList batch =
          new NDList(
              indices(manager, i -> workload.users()[from + i]),
              indices(manager, i -> workload.items()[from + i]),
              indices(manager, i -> random.nextInt(sizes.items())));
      batch.attach(manager);
      try (GradientCollector collector = trainer.newGradientCollector()) {
        NDList scores = trainer.forward(batch);
        scores.attach(manager);
        // -log sigmoid(positive - negative), as the engine's BPR.
        NDArray mean = scores.get(1).sub(scores.get(0)).exp().add(1).log().mean();
        loss = mean.getFloat();
        collector.backward(mean);
      }
      trainer.step();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Outcome(sizes.batch(), sizes.batch() / seconds, loss);
  }

  private NDArray indices(NDManager manager, IntUnaryOperator rowOf) {
    long[] rows = new long[sizes.batch()];
    Arrays.setAll(rows, rowOf::applyAsInt);
    return manager.create(rows);
  }

  /** The scores of the best k of every query's whole row of scores (B, k). */
  static float[] topK(NDArray queries, NDArray items, int k) {
    try (NDManager manager = queries.getManager().newSubManager()) {
      NDArray transposed = items.transpose();
      NDArray scores = queries.matMul(transposed);
      NDList best = scores.topK(k, 1);
      transposed.attach(manager);
      scores.attach(manager);
      best.attach(manager);
      // The items come to the host too, as in the lists of the engine.
      best.get(1).toLongArray();
      return best.get(0).toFloatArray();
    }
  }

  @Override
  public void close() {
    trainer.close();
    model.close();
  }

  private static final class Factors extends AbstractBlock {
    private final Parameter users;
    private final Parameter items;

    @SuppressWarnings("this-escape")
    Factors(Sizes sizes) {
      users = table("users", sizes.users(), sizes.dimension());
      items = table("items", sizes.items(), sizes.dimension());
    }

    private Parameter table(String name, int rows, int width) {
      return addParameter(
          Parameter.builder()
              .setName(name)
              .setType(Parameter.Type.WEIGHT)
              .optShape(new Shape(rows, width))
              .build());
    }

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList in, boolean training, PairList<String, Object> params) {
      Device device = in.get(0).getDevice();
      NDArray user = rows(store.getValue(users, device, training), in.get(0));
      NDArray catalogue = store.getValue(items, device, training);
      NDArray positive = rows(catalogue, in.get(1));
      NDArray negative = rows(catalogue, in.get(2));
      return new NDList(
          user.mul(positive).sum(new int[] {1}), user.mul(negative).sum(new int[] {1}));
    }

    private static NDArray rows(NDArray table, NDArray indices) {
      return Embedding.embedding(indices, table, SparseFormat.DENSE).singletonOrThrow();
    }

    @Override
    public Shape[] getOutputShapes(Shape[] in) {
      return new Shape[] {in[0], in[0]};
    }
  }
}
