package io.sextant.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Towers with every kind of input against loops over Java arrays. */
class TwoTowerTest {

  private static final int D = 3;
  private static final int HIDDEN = 4;
  private static final int L = 2;

  private static final EntityFeatures USERS =
      new EntityFeatures(
          2,
          List.of(
              new EntityFeatures.Codes(
                  "tag", 4, 2, new int[] {1, 3, 2, 0}, new float[] {.5f, .5f, 1, 0})),
          new float[] {0.5f, -1, 2, 0.25f},
          2,
          List.of());

  private static final EntityFeatures ITEMS =
      new EntityFeatures(
          3,
          List.of(
              new EntityFeatures.Codes("kind", 3, 1, new int[] {1, 2, 0}, new float[] {1, 1, 0}),
              new EntityFeatures.Codes("maker", 2, 1, new int[] {1, 0, 1}, new float[] {1, 0, 1})),
          new float[] {1, -2, 0.5f},
          1,
          List.of(new EntityFeatures.Vectors("text", 2, new float[] {1, 2, -1, 0.5f, 0, 3})));

  @ParameterizedTest
  @CsvSource({
    "DOT,   NONE,   false, 1,   false",
    "DOT,   SHARED, true,  1,   true",
    "COSINE,NONE,   false, 0.5, true",
    "COSINE,OWN,    false, 0.1, true",
    "DOT,   OWN,    true,  2,   false"
  })
  void scoresAreThoseOfLoops(
      TwoTowerOptions.Similarity similarity,
      TwoTowerOptions.History history,
      boolean lastItem,
      float temperature,
      boolean biases) {
    TwoTowerOptions options =
        TwoTowerOptions.builder()
            .dimension(D)
            .similarity(similarity)
            .history(history)
            .lastItem(lastItem)
            .temperature(temperature)
            .biases(biases)
            .hidden(List.of(HIDDEN))
            .build();
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            TwoTower model = new TwoTower(scope, USERS, ITEMS, options, 1);
            Oracle oracle = new Oracle(options, randomise(model));
            NDManager manager = scope.manager();
            ParameterValues values = new ParameterValues(manager);
            // Pairs: both users known, then an unseen user (2) with an unseen item (3).
            int[] users = {0, 1, 0, 2};
            int[] items = {2, 0, 1, 3};
            float[] weights = {0.5f, 0.25f, 1, 0, 0, 0, 0.125f, 2};
            int[] read = {0, 1, 2, 0, 0, 0, 1, 1};
            int[] last = {1, 2, 0, 1};
            float[] hasLast = {1, 1, 0, 1};
            HistoryInput histories =
                history == TwoTowerOptions.History.NONE
                    ? null
                    : new HistoryInput(
                        HostArrays.longs(manager, read, 4, L),
                        HostArrays.floats(manager, weights, 4, L),
                        HostArrays.longs(manager, last, 4, 1),
                        HostArrays.floats(manager, hasLast, 4, 1));
            EntityInput userInput = input(manager, USERS, users);
            EntityInput itemInput = input(manager, ITEMS, items);
            NDArray u = model.encodeUsers(values, userInput, histories);
            NDArray v = model.encodeItems(values, itemInput);
            assertThat(u.getShape().get(1)).isEqualTo(options.outputDimension());
            float[] typed = HostArrays.toFloats(u.mul(v).sum(new int[] {1}));
            NDList inputs = list(userInput);
            if (histories != null) {
              inputs.addAll(
                  new NDList(
                      histories.items(),
                      histories.weights(),
                      histories.last(),
                      histories.hasLast()));
            }
            inputs.addAll(list(itemInput));
            float[] listed =
                HostArrays.toFloats(model.forward(values, inputs, false).singletonOrThrow());
            for (int p = 0; p < users.length; p++) {
              double[] past = new double[D];
              double[] latest = new double[D];
              for (int d = 0; d < D && history != TwoTowerOptions.History.NONE; d++) {
                float[] table =
                    oracle.get(history == TwoTowerOptions.History.OWN ? "user.history" : "item.id");
                for (int j = 0; j < L; j++) {
                  past[d] += weights[p * L + j] * table[read[p * L + j] * D + d];
                }
                latest[d] = hasLast[p] * table[last[p] * D + d];
              }
              double expected = oracle.score(users[p], items[p], past, latest);
              assertThat((double) typed[p])
                  .as("pair %d", p)
                  .isCloseTo(expected, within(1e-5 * (1 + Math.abs(expected))));
              assertThat(listed[p])
                  .as("pair %d as a list", p)
                  .isCloseTo(typed[p], within(1e-5f * (1 + Math.abs(typed[p]))));
            }
          }
        });
  }

  private static NDList list(EntityInput input) {
    NDList list = new NDList(input.id(), input.keep(), input.entity());
    list.addAll(input.codes());
    list.addAll(input.codeWeights());
    return list;
  }

  /** An entity beyond the last is one of which nothing is known. */
  private static EntityInput input(NDManager manager, EntityFeatures features, int[] entities) {
    int size = entities.length;
    int[] ids = new int[size];
    float[] keep = new float[size];
    for (int i = 0; i < size; i++) {
      keep[i] = entities[i] < features.numEntities() ? 1 : 0;
      ids[i] = keep[i] == 1 ? entities[i] : 0;
    }
    List<NDArray> codes = new ArrayList<>();
    List<NDArray> codeWeights = new ArrayList<>();
    for (EntityFeatures.Codes column : features.codes()) {
      int width = column.width();
      int[] rows = new int[size * width];
      float[] weights = new float[size * width];
      for (int i = 0; i < size * width; i++) {
        int entity = entities[i / width];
        if (entity < features.numEntities()) {
          rows[i] = column.codes()[entity * width + i % width];
          weights[i] = column.weights()[entity * width + i % width];
        }
      }
      codes.add(HostArrays.longs(manager, rows, size, width));
      codeWeights.add(HostArrays.floats(manager, weights, size, width));
    }
    return new EntityInput(
        HostArrays.longs(manager, ids, size),
        HostArrays.floats(manager, keep, size, 1),
        HostArrays.longs(manager, entities, size),
        codes,
        codeWeights);
  }

  private static Map<String, float[]> randomise(TwoTower model) {
    Random random = new Random(6);
    Map<String, float[]> values = new HashMap<>();
    for (NamedParameter parameter : model.namedParameters()) {
      var memory = HostArrays.view(parameter.parameter().getArray());
      for (int i = 0; i < memory.capacity(); i++) {
        memory.put(i, (float) random.nextGaussian());
      }
      values.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
    }
    return values;
  }

  private record Oracle(TwoTowerOptions options, Map<String, float[]> values) {

    float[] get(String name) {
      float[] value = values.get(name);
      if (value == null) {
        throw new IllegalArgumentException("no parameter " + name + " in " + values.keySet());
      }
      return value;
    }

    double score(int user, int item, double[] past, double[] latest) {
      double[] h = past;
      if (options.lastItem()) {
        h = linear("user.meanMap", past, D, false);
        double[] more = linear("user.lastMap", latest, D, false);
        for (int d = 0; d < D; d++) {
          h[d] += more[d];
        }
      }
      double[] u = tower("user", USERS, user, h);
      double[] v = tower("item", ITEMS, item, new double[D]);
      double dot = 0;
      double uu = 0;
      double vv = 0;
      for (int d = 0; d < D; d++) {
        dot += u[d] * v[d];
        uu += u[d] * u[d];
        vv += v[d] * v[d];
      }
      if (options.similarity() == TwoTowerOptions.Similarity.COSINE) {
        dot /= Math.sqrt(uu) * Math.sqrt(vv);
      }
      double score = dot / options.temperature();
      return options.biases()
          ? score + bias("user", USERS, user) + bias("item", ITEMS, item)
          : score;
    }

    private double bias(String name, EntityFeatures features, int entity) {
      if (entity == features.numEntities()) {
        return 0;
      }
      double bias = get(name + ".bias")[entity];
      int width = features.numericWidth();
      for (int f = 0; f < width; f++) {
        bias += get(name + ".numericBias.weight")[f] * features.numeric()[entity * width + f];
      }
      return bias;
    }

    private double[] tower(String name, EntityFeatures features, int entity, double[] extra) {
      boolean known = entity < features.numEntities();
      double[] h = extra.clone();
      for (int d = 0; d < D && known; d++) {
        h[d] += get(name + ".id")[entity * D + d];
        for (EntityFeatures.Codes column : features.codes()) {
          for (int m = 0; m < column.width(); m++) {
            int at = entity * column.width() + m;
            h[d] +=
                column.weights()[at]
                    * get(name + ".code." + column.name())[column.codes()[at] * D + d];
          }
        }
      }
      add(
          h,
          linear(
              name + ".numeric",
              row(features.numeric(), features.numericWidth(), entity),
              D,
              false));
      int number = 0;
      for (EntityFeatures.Vectors column : features.vectors()) {
        add(
            h,
            linear(
                name + ".vector" + number++,
                row(column.values(), column.dimension(), entity),
                D,
                true));
      }
      double[] inner = linear(name + ".mlp0", h, HIDDEN, true);
      for (int i = 0; i < HIDDEN; i++) {
        inner[i] = Math.max(0, inner[i]);
      }
      add(h, linear(name + ".mlp1", inner, D, true));
      return h;
    }

    private static void add(double[] sum, double[] part) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] += part[i];
      }
    }

    private static double[] row(float[] values, int width, int entity) {
      double[] row = new double[width];
      for (int f = 0; f < width && (entity + 1) * width <= values.length; f++) {
        row[f] = values[entity * width + f];
      }
      return row;
    }

    private double[] linear(String name, double[] in, int outputs, boolean bias) {
      double[] out = new double[outputs];
      for (int o = 0; o < outputs; o++) {
        out[o] = bias ? get(name + ".bias")[o] : 0;
        for (int i = 0; i < in.length; i++) {
          out[o] += get(name + ".weight")[o * in.length + i] * in[i];
        }
      }
      return out;
    }
  }
}
