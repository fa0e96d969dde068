package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.feedback.LoggedRounds;
import io.sextant.feedback.RewardModel;
import io.sextant.feedback.RewardPredictions;
import io.sextant.tensor.CounterRandom;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/**
 * Labelled examples, turned into a bandit: the classes are actions, and only the right one pays.
 *
 * @param name of the set
 * @param dimension d
 * @param numClasses K
 * @param features (n * d)
 * @param classes (n) in 0..K-1
 */
record MulticlassSet(String name, int dimension, int numClasses, double[] features, int[] classes) {

  /** The sets of uci-multiclass. */
  static final List<String> NAMES = List.of("optdigits", "pendigits", "letter");

  static MulticlassSet read(Path folder, String name) {
    return switch (name) {
      case "optdigits" ->
          parse(name, false, lines(folder, "optdigits.tra", "optdigits.hol", "optdigits.tes"));
      case "pendigits", "letter" -> parse(name, true, lines(folder, name + ".csv"));
      default -> throw new InvalidInputException("there is no set '" + name + "', only " + NAMES);
    };
  }

  int size() {
    return classes.length;
  }

  /** The features of some of the examples. */
  double[] features(int[] rows) {
    double[] some = new double[rows.length * dimension];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(features, rows[i] * dimension, some, i * dimension, dimension);
    }
    return some;
  }

  /** All examples in a random order. */
  int[] shuffled(long seed) {
    int[] order = new int[size()];
    Arrays.setAll(order, i -> i);
    new CounterRandom(seed, "study-parts-" + name, 0).shuffle(order);
    return order;
  }

  /** What one-vs-rest logistic regression, learned from some examples, says of all: (n) classes. */
  int[] classify(int[] learned) {
    int n = learned.length * numClasses;
    int[] actions = new int[n];
    double[] rewards = new double[n];
    double[] contexts = new double[n * dimension];
    double[] propensities = new double[n];
    Arrays.fill(propensities, 1);
    for (int i = 0; i < n; i++) {
      int row = learned[i / numClasses];
      actions[i] = i % numClasses;
      rewards[i] = classes[row] == actions[i] ? 1 : 0;
      System.arraycopy(features, row * dimension, contexts, i * dimension, dimension);
    }
    RewardPredictions scores =
        RewardModel.logistic(1)
            .fit(new LoggedRounds(numClasses, actions, rewards, propensities, dimension, contexts))
            .predict(features, size());
    int[] best = new int[size()];
    for (int row = 0; row < best.length; row++) {
      for (int a = 1; a < numClasses; a++) {
        best[row] = scores.of(row, a) > scores.of(row, best[row]) ? a : best[row];
      }
    }
    return best;
  }

  private static List<String> lines(Path folder, String... files) {
    List<String> lines = new ArrayList<>();
    for (String file : files) {
      try {
        lines.addAll(Files.readAllLines(folder.resolve(file)));
      } catch (IOException e) {
        throw new InvalidInputException(
            "%s cannot be read: --data takes the folder uci-multiclass"
                .formatted(folder.resolve(file)),
            e);
      }
    }
    return lines;
  }

  /** The class is the last field; a numbered file has a header and a row number in front. */
  private static MulticlassSet parse(String name, boolean numbered, List<String> lines) {
    List<String[]> rows = new ArrayList<>();
    TreeSet<String> labels = new TreeSet<>();
    for (String line : numbered ? lines.subList(1, lines.size()) : lines) {
      if (!line.startsWith("#") && !line.isBlank()) {
        String[] fields = line.replace("\"", "").split(",");
        rows.add(fields);
        labels.add(fields[fields.length - 1]);
      }
    }
    List<String> sorted = List.copyOf(labels);
    int first = numbered ? 1 : 0;
    int d = rows.get(0).length - 1 - first;
    double[] features = new double[rows.size() * d];
    int[] classes = new int[rows.size()];
    for (int i = 0; i < classes.length; i++) {
      String[] fields = rows.get(i);
      if (fields.length != first + d + 1) {
        throw new InvalidInputException(
            "%s: a row has %d fields and another %d".formatted(name, fields.length, first + d + 1));
      }
      for (int j = 0; j < d; j++) {
        features[i * d + j] = Double.parseDouble(fields[first + j]);
      }
      classes[i] = sorted.indexOf(fields[first + d]);
    }
    return new MulticlassSet(name, d, sorted.size(), features, classes);
  }
}
