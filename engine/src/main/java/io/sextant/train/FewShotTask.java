package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import io.sextant.data.Interactions;
import io.sextant.nn.FeatureBags;
import io.sextant.nn.FewShotInput;
import io.sextant.nn.FewShotModel;
import io.sextant.nn.FewShotOptions;
import io.sextant.nn.NamedParameter;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Learning to adapt: an example is a user's episode. Some events support, their number n drawn
 * uniformly from 0 to {@code maxEvents}; of the others up to {@code maxQueries} are to be found
 * among all items but the support, by softmax:
 *
 * <pre>
 *   loss = -1/|Q| sum over q in Q of log softmax(scores)_q
 * </pre>
 *
 * A catalogue of more than {@value #MAX_COLUMNS} items is represented by so many, drawn uniformly
 * for each batch, and what they stand for.
 *
 * <p>Thread safety: as {@link LearningTask}.
 */
public final class FewShotTask implements LearningTask<FewShotBatch> {

  private static final int MAX_COLUMNS = 8192;
  private static final float NO_PART = -1e9f;
  private static final int CHUNK = 256;

  private final FewShotModel model;
  private final FewShotOptions options;
  private final Interactions interactions;
  private final FeatureBags features;
  private final int[] users;
  private final long seed;

  /**
   * A task.
   *
   * @param interactions over the users of the features and the items of the model
   * @param users whose events make episodes: those with at least two different items are taken
   */
  public FewShotTask(
      FewShotModel model, Interactions interactions, FeatureBags features, int[] users, long seed) {
    this.model = model;
    this.options = model.options();
    this.interactions = interactions;
    this.features = features;
    this.users = Arrays.stream(users).filter(u -> interactions.seenOf(u).length > 1).toArray();
    this.seed = seed;
  }

  @Override
  public int numExamples() {
    return users.length;
  }

  @Override
  public List<NamedParameter> parameters() {
    return model.namedParameters();
  }

  @Override
  public FewShotBatch prepare(Scope scope, int[] examples, long step) {
    List<Episode> episodes = new ArrayList<>();
    for (int example : examples) {
      CounterRandom random = new CounterRandom(seed + example, "episode", step);
      int n = random.nextInt(options.maxEvents() + 1);
      episodes.add(episode(users[example], n, random));
    }
    return batch(scope, episodes, step);
  }

  @Override
  public NDArray loss(ParameterStore values, FewShotBatch batch) {
    NDArray adapted = model.adapt(values, batch.input());
    NDArray scores = model.scores(values, adapted, batch.columns()).add(batch.offsets());
    return scores.logSoftmax(1).mul(batch.targets()).sum(new int[] {1}).neg();
  }

  /**
   * The mean loss of all examples at the model's present parameters, with each of these numbers of
   * events; the episodes are the same at every call.
   */
  public Validation validation(Scope session, int... numEvents) {
    return new MeanLoss(session, numEvents);
  }

  /**
   * Some events of a user, and others to be found.
   *
   * @param support oldest first
   * @param queries distinct, at least one, none of the support
   */
  private record Episode(int user, int[] support, int[] queries) {}

  private Episode episode(int user, int n, CounterRandom random) {
    int[] history = interactions.historyOf(user);
    int[] places = new int[history.length];
    Arrays.setAll(places, i -> i);
    if (options.episodes() == FewShotOptions.Episodes.ANY) {
      random.shuffle(places);
    }
    // At least one event is left to be found.
    int count = Math.min(n, history.length - 1);
    int[] chosen = Arrays.copyOf(places, count);
    Arrays.sort(chosen);
    int[] support = Arrays.stream(chosen).map(place -> history[place]).toArray();
    int[] queries = rest(history, places, support);
    while (queries.length == 0) {
      // The rest repeats the support: fewer events leave something.
      support = Arrays.copyOf(support, support.length - 1);
      queries = rest(history, places, support);
    }
    return new Episode(user, support, queries);
  }

  /** Distinct items in the order of the places, without those of the support. */
  private int[] rest(int[] history, int[] places, int[] support) {
    int[] seen = Arrays.stream(support).sorted().toArray();
    return Arrays.stream(places)
        .map(place -> history[place])
        .filter(item -> Arrays.binarySearch(seen, item) < 0)
        .distinct()
        .limit(options.maxQueries())
        .toArray();
  }

  private FewShotBatch batch(Scope scope, List<Episode> episodes, long step) {
    int size = episodes.size();
    int[][] support = new int[size][];
    int[] who = new int[size];
    for (int e = 0; e < size; e++) {
      support[e] = episodes.get(e).support();
      who[e] = episodes.get(e).user();
    }
    FewShotInput input =
        FewShotInput.of(scope.manager(), features, who, support, options.maxEvents());
    int numItems = model.numItems();
    boolean all = numItems <= MAX_COLUMNS;
    int[] columns = all ? null : columns(episodes, step);
    int width = columns == null ? numItems : columns.length;
    float[] offsets = new float[size * width];
    float[] targets = new float[size * width];
    if (columns != null) {
      int[] drawn = drawn(step);
      float standsFor = (float) Math.log((double) numItems / drawn.length);
      for (int c = 0; c < width; c++) {
        boolean sampled = Arrays.binarySearch(drawn, columns[c]) >= 0;
        for (int e = 0; e < size; e++) {
          offsets[e * width + c] = sampled ? standsFor : NO_PART;
        }
      }
    }
    for (int e = 0; e < size; e++) {
      int[] queries = episodes.get(e).queries();
      for (int item : support[e]) {
        int c = columns == null ? item : Arrays.binarySearch(columns, item);
        if (c >= 0) {
          offsets[e * width + c] = NO_PART;
        }
      }
      for (int item : queries) {
        int c = columns == null ? item : Arrays.binarySearch(columns, item);
        offsets[e * width + c] = 0;
        targets[e * width + c] = 1f / queries.length;
      }
    }
    return new FewShotBatch(
        size,
        input,
        columns == null ? null : HostArrays.longs(scope.manager(), columns, columns.length),
        HostArrays.floats(scope.manager(), offsets, size, width),
        HostArrays.floats(scope.manager(), targets, size, width));
  }

  /** Distinct items drawn for a batch, ascending. */
  private int[] drawn(long step) {
    CounterRandom random = new CounterRandom(seed, "episode-columns", step);
    return IntStream.range(0, MAX_COLUMNS)
        .map(i -> random.nextInt(model.numItems()))
        .sorted()
        .distinct()
        .toArray();
  }

  /** The drawn items and all that are to be found, ascending. */
  private int[] columns(List<Episode> episodes, long step) {
    return IntStream.concat(
            Arrays.stream(drawn(step)),
            episodes.stream().flatMapToInt(episode -> Arrays.stream(episode.queries())))
        .sorted()
        .distinct()
        .toArray();
  }

  private final class MeanLoss implements Validation {
    private final Scope session;
    private final int[] numEvents;

    MeanLoss(Scope session, int[] numEvents) {
      this.session = session;
      this.numEvents = numEvents;
    }

    @Override
    public Map<String, Double> evaluate() {
      double sum = 0;
      for (int n : numEvents) {
        for (int start = 0; start < users.length; start += CHUNK) {
          List<Episode> episodes = new ArrayList<>();
          for (int u = start; u < Math.min(users.length, start + CHUNK); u++) {
            episodes.add(episode(users[u], n, new CounterRandom(seed, "judged", u)));
          }
          try (Scope step = session.child()) {
            FewShotBatch batch = batch(step, episodes, start);
            sum += loss(model.values(step.manager()), batch).sum().getFloat();
          }
        }
      }
      return Map.of(objective(), sum / ((double) users.length * numEvents.length));
    }

    @Override
    public String objective() {
      return "loss";
    }

    @Override
    public boolean higherIsBetter() {
      return false;
    }
  }
}
