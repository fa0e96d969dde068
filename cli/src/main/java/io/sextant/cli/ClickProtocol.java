package io.sextant.cli;

import ai.djl.Device;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReader;
import io.sextant.data.EventReaders;
import io.sextant.data.IdIndex;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.data.Standardization;
import io.sextant.nn.PolicyNetwork;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.PolicyExamples;
import io.sextant.train.PolicyTask;
import io.sextant.train.PolicyValidation;
import io.sextant.train.Schedule;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Click prediction: will this user's next item be this one? The policy network, trained with binary
 * cross-entropy, beside item popularity alone, on leave-one-out data with one negative, drawn
 * uniformly from the items that the user has no event with, for each positive. The base rate is
 * therefore one half. Each user's last event is test, the one before validation, which stops the
 * training; models and evidence come from the train part.
 *
 * @param data folder of the data set
 * @param set which data set
 * @param seeds how many runs are averaged: negatives, start and order of training differ
 * @param seed of the first run
 * @param validateOnly whether the test part is left alone
 */
record ClickProtocol(Path data, DataSet set, int seeds, long seed, boolean validateOnly) {

  private static final int HIDDEN = 128;

  /** The files of a protocol. */
  enum DataSet {
    /** {@code Beauty.txt} in the format lists, and the attributes of items. */
    BEAUTY,
    /** {@code train.csv}, {@code dev.csv}, {@code test.csv} with times. */
    GROCERY
  }

  Map<String, Object> run(Device device) {
    ClickData clicks = load();
    List<float[]> network = new ArrayList<>();
    List<float[]> popularity = new ArrayList<>();
    for (int s = 0; s < seeds; s++) {
      Run run = new Run(clicks, seed + s);
      network.add(run.network(device));
      popularity.add(run.popularity());
    }
    return result(ClickMetrics.of(network), ClickMetrics.of(popularity));
  }

  ClickData load() {
    return switch (set) {
      case BEAUTY -> beauty();
      case GROCERY -> grocery();
    };
  }

  private Map<String, Object> result(ClickMetrics network, ClickMetrics popularity) {
    Map<String, Object> strategies = new LinkedHashMap<>();
    strategies.put("policy-network", network.json(seed));
    strategies.put("popularity", popularity.json(seed));
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("seeds", seeds);
    result.put("strategies", strategies);
    result.put(
        "differences",
        Map.of(
            "policy-network-popularity", Intervals.json(network.differenceTo(popularity, seed))));
    result.put(
        "published",
        Map.of(
            "classic example",
            Map.of(
                "accuracy",
                .8458,
                "note",
                "of a tutorial, on unnamed e-commerce data with an unknown base rate: not the same"
                    + " data or protocol, so only a figure to have in mind")));
    return result;
  }

  private ClickData beauty() {
    Split split =
        Splitter.leaveOneOut()
            .split(
                new EventCleaner(asGiven())
                    .clean(open("Beauty.txt", EventFormat.LISTS))
                    .interactions());
    Path file = data.resolve("Beauty_item2attributes.json");
    return ClickData.of(split, attributes(file, split.train().items()));
  }

  private ClickData grocery() {
    // The complements and substitutes of item_meta.csv are not read: they were counted from
    // purchases of the whole period, the test part included. Nearly all items have one category.
    Split split =
        new EventCleaner(asGiven())
            .cleanSplit(
                open("train.csv", EventFormat.CSV),
                open("dev.csv", EventFormat.CSV),
                open("test.csv", EventFormat.CSV))
            .split();
    return ClickData.of(split, new int[split.train().numItems()][0]);
  }

  private static CleaningOptions asGiven() {
    return CleaningOptions.builder().duplicates(CleaningOptions.Duplicates.KEEP_ALL).build();
  }

  private EventReader open(String file, EventFormat format) {
    return EventReaders.open(data.resolve(file), format, ColumnMapping.DEFAULT);
  }

  /** Attribute numbers of each item, from {@code {"item": [number, ...], ...}}. */
  private static int[][] attributes(Path file, IdIndex items) {
    Map<String, int[]> byId;
    try {
      byId = new ObjectMapper().readValue(file.toFile(), new TypeReference<>() {});
    } catch (JacksonException e) {
      throw new InvalidInputException(
          "%s must be one JSON object of item ids with lists of numbers: %s"
              .formatted(file, e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new InvalidInputException("attributes file " + file + " cannot be read: " + e, e);
    }
    int[][] attributes = new int[items.size()][];
    for (int item = 0; item < attributes.length; item++) {
      int[] own = byId.getOrDefault(items.idOf(item), new int[0]);
      attributes[item] = Arrays.stream(own).sorted().distinct().toArray();
      if (attributes[item].length > 0 && attributes[item][0] < 0) {
        throw new InvalidInputException(
            "%s: attributes of item '%s' must be >= 0 but one was %d"
                .formatted(file, items.idOf(item), attributes[item][0]));
      }
    }
    return attributes;
  }

  /** One seed: its examples, their features, and what the models say of the last part. */
  private final class Run {
    private final long runSeed;
    private final List<ClickExamples> sets;
    private final List<ClickFeatures.Matrix> features;

    Run(ClickData clicks, long runSeed) {
      this.runSeed = runSeed;
      sets =
          Arrays.stream(ClickData.Part.values())
              .filter(part -> !(validateOnly && part == ClickData.Part.TEST))
              .map(part -> ClickExamples.of(clicks, part, runSeed))
              .toList();
      for (ClickExamples examples : sets) {
        if (examples.size() == 0) {
          throw new InvalidInputException(
              data
                  + " has no user with enough events: three are needed for leave-one-out, four to"
                  + " learn from");
        }
      }
      features = ClickFeatures.of(clicks, sets);
    }

    float[] network(Device device) {
      return TensorThreads.call(() -> train(device));
    }

    private float[] train(Device device) {
      Standardization users =
          Standardization.of(features.get(0).users(), ClickFeatures.USER.size());
      Standardization items =
          Standardization.of(features.get(0).items(), ClickFeatures.ITEM.size());
      List<PolicyExamples> examples = new ArrayList<>();
      for (int s = 0; s < sets.size(); s++) {
        examples.add(
            PolicyExamples.of(
                ClickFeatures.USER.size(),
                ClickFeatures.ITEM.size(),
                users.apply(features.get(s).users()),
                items.apply(features.get(s).items()),
                sets.get(s).labels()));
      }
      try (Scope model = Scope.open(device);
          ConsoleListener listener = new ConsoleListener("seed " + runSeed)) {
        PolicyNetwork network =
            new PolicyNetwork(
                model,
                ClickFeatures.USER.size(),
                ClickFeatures.ITEM.size(),
                HIDDEN,
                1,
                true,
                runSeed);
        new Trainer(training(), List.of(), listener, null)
            .train(
                model,
                new PolicyTask(network, examples.get(0)),
                new PolicyValidation(model, network, examples.get(1)));
        PolicyExamples last = examples.get(examples.size() - 1);
        return network.outputs(model, last.users(), last.items());
      }
    }

    private TrainingOptions training() {
      return TrainingOptions.builder()
          .epochs(40)
          .batchSize(512)
          .learningRate(5e-3f)
          .weightDecay(1e-3f)
          .schedule(Schedule.COSINE)
          .patience(6)
          .seed(runSeed)
          .build();
    }

    float[] popularity() {
      return LogisticLine.fit(popularityOf(0), sets.get(0).labels())
          .predict(popularityOf(sets.size() - 1));
    }

    private float[] popularityOf(int s) {
      float[] items = features.get(s).items();
      float[] column = new float[sets.get(s).size()];
      for (int e = 0; e < column.length; e++) {
        column[e] = items[e * ClickFeatures.ITEM.size() + ClickFeatures.LOG_COUNT];
      }
      return column;
    }
  }
}
