package io.sextant.train;

import ai.djl.Device;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Small random data, and a model with its task in a scope of its own. */
final class Fixture implements AutoCloseable {

  static final int USERS = 7;
  static final int ITEMS = 11;
  static final int ROWS = 60;

  private final Scope scope;
  private final TwoTower model;
  private final TwoTowerTask task;

  Fixture(Interactions data, TwoTowerOptions shape, SamplingOptions sampling, long modelSeed) {
    this(Device.cpu(), data, shape, sampling, modelSeed);
  }

  Fixture(
      Device device,
      Interactions data,
      TwoTowerOptions shape,
      SamplingOptions sampling,
      long modelSeed) {
    scope = Scope.open(device);
    EntityFeatures users = EntityFeatures.none(data.numUsers());
    EntityFeatures items = EntityFeatures.none(data.numItems());
    model = new TwoTower(scope, users, items, shape, modelSeed);
    task = new TwoTowerTask(model, data, users, items, sampling, 0.25f, 5);
  }

  static Interactions interactions(long seed) {
    Random random = new Random(seed);
    Interactions.Builder rows = Interactions.builder(ids("u", USERS), ids("i", ITEMS));
    for (int row = 0; row < ROWS; row++) {
      // The square makes some items popular.
      int item = (int) (ITEMS * Math.pow(random.nextDouble(), 2));
      rows.add(
          random.nextInt(USERS),
          item,
          EventType.RATING,
          1 + random.nextInt(5),
          1,
          row * 1000L,
          InteractionFeatures.UNKNOWN);
    }
    return rows.build();
  }

  static IdIndex ids(String prefix, int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(prefix + i);
    }
    return IdIndex.of(ids);
  }

  Scope scope() {
    return scope;
  }

  TwoTower model() {
    return model;
  }

  TwoTowerTask task() {
    return task;
  }

  /** All parameters by name. */
  Map<String, float[]> values() {
    Map<String, float[]> values = new LinkedHashMap<>();
    for (NamedParameter parameter : task.parameters()) {
      values.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
    }
    return values;
  }

  float[] value(String name) {
    float[] value = values().get(name);
    if (value == null) {
      throw new IllegalArgumentException("no parameter " + name);
    }
    return value;
  }

  /** Runs on a tensor thread with a fresh model of these seeds and options. */
  static <T> T with(
      TwoTowerOptions shape, SamplingOptions sampling, long modelSeed, Function<Fixture, T> work) {
    return TensorThreads.call(
        () -> {
          try (Fixture fixture = new Fixture(interactions(3), shape, sampling, modelSeed)) {
            return work.apply(fixture);
          }
        });
  }

  /** A validation whose objective {@code score} is this function of the parameters. */
  Validation validation(Function<Fixture, Double> score, boolean higherIsBetter) {
    return new Validation() {
      @Override
      public Map<String, Double> evaluate() {
        return Map.of("score", score.apply(Fixture.this));
      }

      @Override
      public String objective() {
        return "score";
      }

      @Override
      public boolean higherIsBetter() {
        return higherIsBetter;
      }
    };
  }

  TrainingResult train(
      TrainingOptions options,
      List<StepHook> hooks,
      TrainingListener listener,
      @Nullable CheckpointOptions checkpoints,
      @Nullable Validation validation) {
    return new Trainer(options, hooks, listener, checkpoints).train(scope, task, validation);
  }

  @Override
  public void close() {
    scope.close();
  }
}
