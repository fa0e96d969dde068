package io.sextant.models;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.SearchSpace;
import io.sextant.strategy.Strategy;
import io.sextant.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Looks for better settings of a recipe's strategies, each on its own, by successive halving
 * (Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
 * Optimization", AISTATS 2016): many random settings learn from few users, the better third of them
 * from three times as many, until a few have learned from all. The recipe's own settings are never
 * dropped: where nothing beats them on all users, they stay.
 *
 * <p>Thread safety: one thread at a time.
 */
public final class RecipeTuner {

  /** By how much settings become fewer and users more from one round to the next. */
  private static final int ETA = 3;

  /** With fewer users to learn from, chance decides. */
  private static final int MIN_USERS = 2000;

  private static final int MAX_ROUNDS = 3;
  private static final int MAX_JUDGES = 10_000;

  private final Options options;
  private final Device device;
  private final TuningJournal journal;
  private final Consumer<String> log;

  /**
   * How to search.
   *
   * @param trials how many settings of each strategy are tried at first, &gt;= 1
   * @param metric by which they are compared
   * @param seed of all draws
   */
  public record Options(int trials, RankingMetric metric, long seed) {

    public Options {
      if (trials < 1) {
        throw new InvalidInputException(
            "tuning needs at least 1 trial but was asked for " + trials);
      }
    }
  }

  /**
   * What settings are judged by.
   *
   * @param train what strategies learn from
   * @param truth what users did afterwards, over the same users and items
   */
  public record Data(Dataset train, Interactions truth) {}

  /**
   * A tuner.
   *
   * @param journal where trials are kept; lent
   * @param log hears a line for each trial
   */
  public RecipeTuner(Options options, Device device, TuningJournal journal, Consumer<String> log) {
    this.options = options;
    this.device = device;
    this.journal = journal;
    this.log = log;
  }

  /**
   * Tunes all strategies of a recipe that have something to tune and can be fitted.
   *
   * @param toml text of the recipe
   * @param where its name, for messages
   * @param overrides values over the recipe; see {@link ModelZoo#parse}
   */
  public List<StrategyTuning> tune(
      String toml, String where, Map<String, String> overrides, Data data) {
    List<Slice> rounds = rounds(data);
    List<StrategyTuning> tunings = new ArrayList<>();
    Recipe recipe = ModelZoo.parse(toml, where, overrides);
    for (Strategy strategy : recipe.strategies(options.seed())) {
      if (strategy.searchSpace().isEmpty()) {
        continue;
      }
      Settings settings = changes -> with(recipe, strategy, toml, where, overrides, changes);
      new Search(strategy, settings, rounds).run(tunings);
    }
    return tunings;
  }

  /** The overrides with the settings that were found. */
  public static Map<String, String> overrides(
      Recipe recipe, Map<String, String> overrides, List<StrategyTuning> tunings) {
    Map<String, String> all = new LinkedHashMap<>(overrides);
    tunings.forEach(
        tuning -> {
          String section = recipe.sectionOf(tuning.strategy());
          tuning
              .changes()
              .forEach((option, value) -> all.put(section + "." + option, value.toString()));
        });
    return all;
  }

  /** The strategy of a recipe with other settings. */
  private Strategy with(
      Recipe recipe,
      Strategy strategy,
      String toml,
      String where,
      Map<String, String> overrides,
      Map<String, Number> changes) {
    Map<String, String> all = new LinkedHashMap<>(overrides);
    String section = recipe.sectionOf(strategy.name());
    changes.forEach((option, value) -> all.put(section + "." + option, value.toString()));
    return ModelZoo.parse(toml, where, all).strategies(options.seed()).stream()
        .filter(s -> s.name().equals(strategy.name()))
        .findFirst()
        .orElseThrow();
  }

  private interface Settings {
    Strategy with(Map<String, Number> changes);
  }

  /** Users who are learned from, and of these the ones who are judges. */
  private record Slice(int users, Dataset train, Interactions truth) {}

  /** From few users to all. */
  private List<Slice> rounds(Data data) {
    Interactions all = data.train().interactions();
    int[] users = Ranker.usersWith(all);
    new CounterRandom(options.seed(), "tuning-users", 0).shuffle(users);
    if (Ranker.usersWith(data.truth()).length == 0) {
      throw new InvalidInputException(
          "there is nothing to tune by: no user has enough events for one to be kept back");
    }
    List<Slice> rounds = new ArrayList<>();
    int size = users.length;
    while (true) {
      rounds.add(0, slice(data, users, size));
      if (rounds.size() == MAX_ROUNDS || size / ETA < MIN_USERS) {
        return rounds;
      }
      size /= ETA;
    }
  }

  private static Slice slice(Data data, int[] users, int size) {
    Interactions all = data.train().interactions();
    boolean[] learned = new boolean[all.numUsers()];
    boolean[] judging = new boolean[all.numUsers()];
    int judges = 0;
    for (int user : Arrays.copyOf(users, size)) {
      learned[user] = true;
      if (judges < MAX_JUDGES && data.truth().degree(user) > 0) {
        judging[user] = true;
        judges++;
      }
    }
    int[] userOfRow = all.userOfRow();
    int[] userOfTruth = data.truth().userOfRow();
    return new Slice(
        size,
        size == users.length
            ? data.train()
            : data.train().withInteractions(all.filter(row -> learned[userOfRow[row]])),
        data.truth().filter(row -> judging[userOfTruth[row]]));
  }

  /** The search for one strategy. */
  private final class Search {
    private final Strategy strategy;
    private final Settings settings;
    private final List<Slice> rounds;
    private final List<Trial> trials = new ArrayList<>();

    Search(Strategy strategy, Settings settings, List<Slice> rounds) {
      this.strategy = strategy;
      this.settings = settings;
      this.rounds = rounds;
    }

    void run(List<StrategyTuning> tunings) {
      SearchSpace space = strategy.searchSpace();
      List<Map<String, Number>> candidates = new ArrayList<>();
      for (int draw = 0; draw < options.trials(); draw++) {
        candidates.add(space.draw(options.seed(), "tuning-" + strategy.name(), draw));
      }
      for (int round = 0; round < rounds.size(); round++) {
        Slice slice = rounds.get(round);
        boolean last = round == rounds.size() - 1;
        Trial standard = attempt(Map.of(), slice);
        List<Trial> tried = new ArrayList<>();
        candidates.forEach(candidate -> tried.add(attempt(candidate, slice)));
        tried.removeIf(trial -> trial.failure() != null);
        tried.sort(Comparator.comparingDouble(Trial::value).reversed());
        if (last) {
          finish(standard, tried, tunings);
        } else {
          candidates =
              tried.stream()
                  .limit(Math.max(1, candidates.size() / ETA))
                  .map(Trial::settings)
                  .toList();
        }
      }
    }

    private void finish(Trial standard, List<Trial> tried, List<StrategyTuning> tunings) {
      Trial best = standard;
      if (!tried.isEmpty() && !(standard.value() >= tried.get(0).value())) {
        best = tried.get(0);
      }
      if (best.failure() != null) {
        say("%s is left as it is: %s", strategy.name(), best.failure());
        return;
      }
      StrategyTuning tuning = new StrategyTuning(strategy.name(), trials, standard, best);
      tunings.add(tuning);
      say(
          "%s: %s %.4f as in the recipe, %.4f with %s; %d trials, %.1f s",
          strategy.name(),
          options.metric().name(),
          standard.value(),
          best.value(),
          best.asInRecipe() ? "nothing better" : best.settings(),
          trials.size(),
          tuning.seconds());
    }

    private Trial attempt(Map<String, Number> candidate, Slice slice) {
      Trial trial =
          journal
              .find(strategy.name(), candidate, slice.users())
              .orElseGet(
                  () -> {
                    Trial made = measure(candidate, slice);
                    journal.add(made);
                    return made;
                  });
      trials.add(trial);
      say(
          "%s, %d users, %s: %s, %.1f s",
          strategy.name(),
          slice.users(),
          trial.asInRecipe() ? "as in the recipe" : trial.settings(),
          trial.failure() == null
              ? String.format(Locale.ROOT, "%s %.4f", options.metric().name(), trial.value())
              : trial.failure(),
          trial.seconds());
      return trial;
    }

    private Trial measure(Map<String, Number> candidate, Slice slice) {
      long start = System.nanoTime();
      double value = Double.NaN;
      String failure = null;
      try {
        value = value(settings.with(candidate), slice);
      } catch (InvalidInputException | ArithmeticException | EngineException e) {
        failure = e.getMessage() == null ? e.toString() : e.getMessage();
      }
      return new Trial(
          strategy.name(),
          candidate,
          slice.users(),
          value,
          (System.nanoTime() - start) * 1e-9,
          failure);
    }

    private double value(Strategy candidate, Slice slice) {
      FitContext context =
          FitContext.of(device, slice.train())
              .withValidation(candidate.usesValidation() ? slice.truth() : null);
      try (FittedStrategy fitted = candidate.fit(context);
          Ranker ranker = new Ranker()) {
        return ranker
            .evaluate(
                fitted, slice.train().interactions(), slice.truth(), List.of(options.metric()))
            .mean(options.metric());
      }
    }
  }

  private void say(String template, Object... values) {
    log.accept(String.format(Locale.ROOT, template, values));
  }
}
