package io.sextant.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.sextant.InvalidInputException;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The encoder over packed sequences against loops over Java arrays, one sequence at a time. */
class SequenceEncoderTest {

  private static final int ITEMS = 9;
  private static final int[][] SEQUENCES = {
    {3}, {1, 2, 3, 4, 5}, {8, 8, 0}, {7, 6}, {0, 1, 0, 1}, {2}, {5, 4, 3, 2, 1}
  };

  @ParameterizedTest
  @CsvSource({
    "1, 1, true,  true,  false, DOT",
    "2, 2, true,  true,  true,  COSINE",
    "2, 3, false, false, true,  DOT",
    "1, 2, false, true,  false, COSINE",
  })
  void queriesAreThoseOfLoops(
      int blocks,
      int heads,
      boolean normFirst,
      boolean positions,
      boolean distances,
      TwoTowerOptions.Similarity similarity) {
    SequenceOptions options =
        options()
            .blocks(blocks)
            .heads(heads)
            .normFirst(normFirst)
            .positions(positions)
            .distances(distances)
            .similarity(similarity)
            .temperature(0.2f)
            .build();
    withEncoder(
        options,
        (scope, encoder) -> {
          Oracle oracle = new Oracle(options, randomise(encoder, 7));
          float[][][] queries = encode(scope, encoder, SEQUENCES);
          for (int s = 0; s < SEQUENCES.length; s++) {
            double[][] expected = oracle.queries(SEQUENCES[s]);
            for (int t = 0; t < expected.length; t++) {
              for (int d = 0; d < options.dimension(); d++) {
                // A few hundred float32 additions of numbers up to about 10 lie behind a query.
                assertThat((double) queries[s][t][d])
                    .as("seed 7, sequence %d, token %d, dimension %d", s, t, d)
                    .isCloseTo(expected[t][d], within(2e-4 * (1 + Math.abs(expected[t][d]))));
              }
            }
          }
          double[][] vectors = oracle.itemVectors();
          float[] actual = HostArrays.toFloats(encoder.itemVectors(scope));
          for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i])
                .isCloseTo(vectors[i / options.dimension()][i % options.dimension()], within(1e-5));
          }
        });
  }

  @Test
  void aLaterItemChangesNoEarlierQuery() {
    // Without positions, which count from the end and so tell a token how much is to come.
    withEncoder(
        options().blocks(2).positions(false).distances(true).build(),
        (scope, encoder) -> {
          randomise(encoder, 8);
          int[] sequence = {4, 1, 7, 2, 2, 0};
          float[][] whole = encode(scope, encoder, sequence)[0];
          for (int changed = 1; changed < sequence.length; changed++) {
            int[] other = sequence.clone();
            other[changed] = 8;
            float[][] queries = encode(scope, encoder, other)[0];
            for (int t = 0; t < sequence.length; t++) {
              if (t < changed) {
                assertThat(queries[t]).as("token %d of %d", t, changed).isEqualTo(whole[t]);
              } else {
                assertThat(queries[t]).as("token %d of %d", t, changed).isNotEqualTo(whole[t]);
              }
            }
          }
        });
  }

  @Test
  void neighboursAndPaddingChangeNothing() {
    withEncoder(
        options().blocks(2).distances(true).build(),
        (scope, encoder) -> {
          randomise(encoder, 9);
          float[][][] together = encode(scope, encoder, SEQUENCES);
          for (int s = 0; s < SEQUENCES.length; s++) {
            float[][] alone = encode(scope, encoder, SEQUENCES[s])[0];
            for (int t = 0; t < alone.length; t++) {
              for (int d = 0; d < alone[t].length; d++) {
                assertThat(together[s][t][d])
                    .as("seed 9, sequence %d, token %d", s, t)
                    .isCloseTo(alone[t][d], within(1e-4f));
              }
            }
          }
        });
  }

  @Test
  void theListFormIsTheTypedForm() {
    withEncoder(
        options().distances(true).build(),
        (scope, encoder) -> {
          SequenceInput input = new PackedSequences(SEQUENCES).input(scope.manager());
          ParameterValues values = new ParameterValues(scope.manager());
          NDList list =
              new NDList(input.items(), input.positions(), input.mask(), input.distances());
          assertThat(HostArrays.toFloats(encoder.forward(values, list, false).singletonOrThrow()))
              .isEqualTo(HostArrays.toFloats(encoder.encode(values, input, Dropout.NONE)));
          assertThat(encoder.getOutputShapes(list.getShapes())[0])
              .isEqualTo(encoder.encode(values, input, Dropout.NONE).getShape());
        });
  }

  @ParameterizedTest
  @EnumSource(TwoTowerOptions.Similarity.class)
  void whatAShorterScopeComputesDiesWithIt(TwoTowerOptions.Similarity similarity) {
    withEncoder(
        options().blocks(2).distances(true).similarity(similarity).build(),
        (scope, encoder) -> {
          int before = scope.manager().getManagedArrays().size();
          float[] table =
              HostArrays.toFloats(encoder.namedParameters().get(0).parameter().getArray());
          try (Scope child = scope.child()) {
            encode(child, encoder, SEQUENCES);
            encoder.itemVectors(child);
            assertThat(scope.manager().getManagedArrays()).hasSizeGreaterThan(before);
          }
          assertThat(scope.manager().getManagedArrays()).hasSize(before);
          assertThat(HostArrays.toFloats(encoder.namedParameters().get(0).parameter().getArray()))
              .isEqualTo(table);
        });
  }

  @Test
  void dropoutIsAskedAtEverySiteOnce() {
    withEncoder(
        options().blocks(2).build(),
        (scope, encoder) -> {
          List<Integer> sites = new ArrayList<>();
          Dropout recording =
              (site, activations) -> {
                sites.add(site);
                return activations;
              };
          encoder.encode(
              new ParameterValues(scope.manager()),
              new PackedSequences(SEQUENCES).input(scope.manager()),
              recording);
          assertThat(sites).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
        });
  }

  @Test
  void aSequenceThatIsTooLongIsRefused() {
    withEncoder(
        options().historyLength(3).build(),
        (scope, encoder) -> {
          SequenceInput input = new PackedSequences(SEQUENCES).input(scope.manager());
          assertThatThrownBy(
                  () -> encoder.encode(new ParameterValues(scope.manager()), input, Dropout.NONE))
              .isInstanceOf(InvalidInputException.class)
              .hasMessageContaining("5")
              .hasMessageContaining("3");
        });
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    assertThatThrownBy(() -> options().heads(4).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("divide the dimension 6 but was 4");
    assertThatThrownBy(() -> options().dropout(1).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("dropout");
    assertThatThrownBy(() -> options().temperature(0).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("temperature");
    assertThatThrownBy(() -> options().blocks(0).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("blocks");
  }

  private static SequenceOptions.Builder options() {
    return SequenceOptions.builder()
        .dimension(6)
        .hidden(7)
        .historyLength(6)
        .distances(false)
        .similarity(TwoTowerOptions.Similarity.DOT);
  }

  private interface Body {
    void run(Scope scope, SequenceEncoder encoder);
  }

  private static void withEncoder(SequenceOptions options, Body body) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            body.run(scope, new SequenceEncoder(scope, ITEMS, options, 1));
          }
        });
  }

  /** Queries by sequence and token. */
  private static float[][][] encode(Scope scope, SequenceEncoder encoder, int[]... sequences) {
    PackedSequences packed = new PackedSequences(sequences);
    NDArray all =
        encoder.encode(
            new ParameterValues(scope.manager()), packed.input(scope.manager()), Dropout.NONE);
    int d = encoder.options().dimension();
    float[] flat = HostArrays.toFloats(all);
    float[][][] queries = new float[sequences.length][][];
    for (int s = 0; s < sequences.length; s++) {
      queries[s] = new float[sequences[s].length][d];
      for (int t = 0; t < sequences[s].length; t++) {
        System.arraycopy(flat, (packed.start(s) + t) * d, queries[s][t], 0, d);
      }
    }
    return queries;
  }

  private static Map<String, float[]> randomise(SequenceEncoder encoder, long seed) {
    Random random = new Random(seed);
    Map<String, float[]> values = new HashMap<>();
    for (NamedParameter parameter : encoder.namedParameters()) {
      var memory = HostArrays.view(parameter.parameter().getArray());
      for (int i = 0; i < memory.capacity(); i++) {
        memory.put(i, (float) (0.7 * random.nextGaussian()));
      }
      values.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
    }
    return values;
  }

  /** A transformer without tensors. */
  private record Oracle(SequenceOptions options, Map<String, float[]> values) {

    private float[] get(String name) {
      float[] value = values.get(name);
      if (value == null) {
        throw new IllegalArgumentException("no parameter " + name + " in " + values.keySet());
      }
      return value;
    }

    double[][] itemVectors() {
      double[][] vectors = new double[ITEMS][];
      for (int i = 0; i < ITEMS; i++) {
        vectors[i] = similarityForm(row("item.id", i), 1);
      }
      return vectors;
    }

    double[][] queries(int[] sequence) {
      int n = sequence.length;
      int d = options.dimension();
      double[][] states = new double[n][];
      for (int t = 0; t < n; t++) {
        states[t] = row("item.id", sequence[t]);
        double[] place = options.positions() ? row("positions", n - 1 - t) : new double[d];
        for (int j = 0; j < d; j++) {
          states[t][j] = states[t][j] * Math.sqrt(d) + place[j];
        }
      }
      for (int b = 0; b < options.blocks(); b++) {
        states = block("block" + b, states);
      }
      for (int t = 0; t < n; t++) {
        double[] out = options.normFirst() ? norm("norm", states[t]) : states[t];
        states[t] = similarityForm(out, options.temperature());
      }
      return states;
    }

    private double[][] block(String name, double[][] states) {
      int n = states.length;
      int d = options.dimension();
      boolean first = options.normFirst();
      double[][] triples = new double[n][];
      for (int t = 0; t < n; t++) {
        double[] read = first ? norm(name + ".attentionNorm", states[t]) : states[t];
        triples[t] = linear(name + ".queryKeyValue", read, 3 * d);
      }
      double[][] out = new double[n][];
      for (int t = 0; t < n; t++) {
        double[] seen = linear(name + ".attentionOutput", attend(name, triples, t), d);
        double[] middle = sum(states[t], seen);
        middle = first ? middle : norm(name + ".attentionNorm", middle);
        double[] read = first ? norm(name + ".hiddenNorm", middle) : middle;
        double[] wide = linear(name + ".hidden", read, options.hidden());
        for (int h = 0; h < wide.length; h++) {
          wide[h] = 0.5 * wide[h] * (1 + erf(wide[h] / Math.sqrt(2)));
        }
        out[t] = sum(middle, linear(name + ".hiddenOutput", wide, d));
        out[t] = first ? out[t] : norm(name + ".hiddenNorm", out[t]);
      }
      return out;
    }

    private double[] attend(String name, double[][] triples, int t) {
      int d = options.dimension();
      int width = d / options.heads();
      double[] result = new double[d];
      for (int h = 0; h < options.heads(); h++) {
        double[] share = new double[t + 1];
        double total = 0;
        for (int s = 0; s <= t; s++) {
          double product = 0;
          for (int j = h * width; j < (h + 1) * width; j++) {
            product += triples[t][j] * triples[s][d + j];
          }
          double bias =
              options.distances() ? get(name + ".distances")[(t - s) * options.heads() + h] : 0;
          share[s] = Math.exp(product / Math.sqrt(width) + bias);
          total += share[s];
        }
        for (int s = 0; s <= t; s++) {
          for (int j = h * width; j < (h + 1) * width; j++) {
            result[j] += share[s] / total * triples[s][2 * d + j];
          }
        }
      }
      return result;
    }

    private double[] row(String name, int row) {
      int d = options.dimension();
      double[] result = new double[d];
      for (int j = 0; j < d; j++) {
        result[j] = get(name)[row * d + j];
      }
      return result;
    }

    private double[] similarityForm(double[] vector, double temperature) {
      if (options.similarity() == TwoTowerOptions.Similarity.DOT) {
        return vector;
      }
      double square = 0;
      for (double v : vector) {
        square += v * v;
      }
      double[] result = new double[vector.length];
      for (int j = 0; j < vector.length; j++) {
        result[j] = vector[j] / Math.sqrt(square) / temperature;
      }
      return result;
    }

    private double[] norm(String name, double[] vector) {
      double mean = 0;
      for (double v : vector) {
        mean += v / vector.length;
      }
      double variance = 0;
      for (double v : vector) {
        variance += (v - mean) * (v - mean) / vector.length;
      }
      double[] result = new double[vector.length];
      for (int j = 0; j < vector.length; j++) {
        result[j] =
            (vector[j] - mean) / Math.sqrt(variance + 1e-5) * get(name + ".gamma")[j]
                + get(name + ".beta")[j];
      }
      return result;
    }

    private double[] linear(String name, double[] in, int outputs) {
      double[] out = new double[outputs];
      for (int o = 0; o < outputs; o++) {
        out[o] = get(name + ".bias")[o];
        for (int i = 0; i < in.length; i++) {
          out[o] += get(name + ".weight")[o * in.length + i] * in[i];
        }
      }
      return out;
    }

    private static double[] sum(double[] a, double[] b) {
      double[] result = new double[a.length];
      for (int j = 0; j < a.length; j++) {
        result[j] = a[j] + b[j];
      }
      return result;
    }

    /** Formula 7.1.26 of Abramowitz and Stegun: right to 1.5e-7. */
    private static double erf(double x) {
      double t = 1 / (1 + 0.3275911 * Math.abs(x));
      double tail =
          t
              * (0.254829592
                  + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
      return Math.signum(x) * (1 - tail * Math.exp(-x * x));
    }
  }
}
