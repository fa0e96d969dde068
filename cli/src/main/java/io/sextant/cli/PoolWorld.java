package io.sextant.cli;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReader;
import io.sextant.data.EventReaders;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What strategies learn from, what users are known by, and what they did afterwards.
 *
 * @param train what strategies are fitted to
 * @param history what users are known by, and what is not recommended again
 * @param truth what they did afterwards
 */
record PoolWorld(Dataset train, Interactions history, Interactions truth) {

  private static final double VALIDATION = 0.1;

  /** Without times validation is a random draw, which the test part may not be: decision 0007. */
  private static final float STRENGTH_WITHOUT_TIMES = 0.5f;

  /**
   * The two worlds of a protocol.
   *
   * @param validation where settings and policies are chosen
   * @param test where results are reported
   * @param refits whether the strategies of the test world learn from more than those of validation
   * @param strength how much of a policy that was fitted to validation is applied
   */
  record Pair(PoolWorld validation, PoolWorld test, boolean refits, float strength) {}

  /** A folder with train.txt[.gz] and test.txt of "user item item ..." lines, in no order. */
  static Pair givenSplit(Path folder, long seed) {
    CleaningOptions asGiven = asGiven();
    Path train = folder.resolve("train.txt");
    Split given =
        new EventCleaner(asGiven)
            .cleanSplit(
                lists(Files.exists(train) ? train : folder.resolve("train.txt.gz")),
                null,
                lists(folder.resolve("test.txt")))
            .split();
    Split inner = Splitter.perUserRatio(VALIDATION, 0, seed).split(given.train());
    return new Pair(
        new PoolWorld(Dataset.of(inner.train()), inner.train(), inner.validation()),
        new PoolWorld(Dataset.of(given.train()), given.train(), given.test()),
        true,
        STRENGTH_WITHOUT_TIMES);
  }

  /**
   * A folder with one file of "user item item ..." lines in the order of time and, perhaps, one of
   * attributes: the last item is test, the one before it validation.
   *
   * @param refit whether the strategies of the test world also learn from the validation items
   */
  static Pair leaveOneOut(Path folder, boolean refit) {
    Interactions all = new EventCleaner(asGiven()).clean(lists(sequences(folder))).interactions();
    Split split = Splitter.leaveOneOut().split(all);
    Interactions early = split.train();
    Interactions late = split.trainAndValidation();
    FeatureTable items = attributes(folder, all.items());
    FeatureTable users = FeatureTable.empty(all.numUsers());
    Dataset learned = new Dataset(early, users, items);
    return new Pair(
        new PoolWorld(learned, early, split.validation()),
        new PoolWorld(refit ? learned.withInteractions(late) : learned, late, split.test()),
        refit,
        1);
  }

  private static CleaningOptions asGiven() {
    return CleaningOptions.builder().duplicates(CleaningOptions.Duplicates.KEEP_ALL).build();
  }

  private static EventReader lists(Path file) {
    return EventReaders.open(file, EventFormat.LISTS, ColumnMapping.DEFAULT);
  }

  private static Path sequences(Path folder) {
    List<Path> files =
        files(folder, name -> name.endsWith(".txt") && !name.endsWith("_sample.txt"));
    if (files.size() != 1) {
      throw new InvalidInputException(
          "folder %s must hold one .txt file of sequences (user item item ...) but holds %s"
              .formatted(folder, files));
    }
    return files.get(0);
  }

  private static List<Path> files(Path folder, Predicate<String> wanted) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(file -> wanted.test(file.getFileName().toString())).sorted().toList();
    } catch (IOException e) {
      throw new InvalidInputException("folder " + folder + " cannot be read: " + e, e);
    }
  }

  private static FeatureTable attributes(Path folder, IdIndex items) {
    List<Path> files = files(folder, name -> name.endsWith("item2attributes.json"));
    if (files.isEmpty()) {
      return FeatureTable.empty(items.size());
    }
    Map<String, List<String>> byItem;
    try {
      byItem = new ObjectMapper().readValue(files.get(0).toFile(), new TypeReference<>() {});
    } catch (IOException e) {
      throw new InvalidInputException(
          "attributes %s must be a JSON object of {item: [attribute, ...]}: %s"
              .formatted(files.get(0), e.getMessage()),
          e);
    }
    TreeSet<String> names = new TreeSet<>();
    byItem.values().forEach(names::addAll);
    List<String> vocabulary = new ArrayList<>(List.of(""));
    vocabulary.addAll(names);
    Map<String, Integer> codes = new TreeMap<>();
    for (int code = 1; code < vocabulary.size(); code++) {
      codes.put(vocabulary.get(code), code);
    }
    int[] offsets = new int[items.size() + 1];
    List<Integer> all = new ArrayList<>();
    for (int item = 0; item < items.size(); item++) {
      for (String attribute : byItem.getOrDefault(items.idOf(item), List.of())) {
        all.add(codes.get(attribute));
      }
      offsets[item + 1] = all.size();
    }
    return FeatureTable.builder(items.size())
        .add(
            new FeatureColumn.MultiHot(
                "attributes",
                vocabulary,
                offsets,
                all.stream().mapToInt(Integer::intValue).toArray()))
        .build();
  }
}
