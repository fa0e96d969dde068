package io.sextant.serve;

import io.sextant.RankedLists;
import io.sextant.meta.Explanation;
import io.sextant.meta.MixedLists;
import io.sextant.meta.ServableModel;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.store.TensorSource;
import io.sextant.strategy.UserState;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * A model without tensors whose scores a test can compute, too. It fails a test that uses it after
 * it was closed, and a hook runs before each batch.
 */
final class FakeModel implements ServableModel {

  static final int ITEMS = 240;
  static final int USERS = 20;
  private static final String SALT = "salt.txt";

  final int salt;
  final Queue<Integer> batches = new ConcurrentLinkedQueue<>();
  final AtomicInteger closed = new AtomicInteger();
  private final Consumer<List<UserState>> hook;
  private final ConcurrentHashMap<Integer, int[]> added = new ConcurrentHashMap<>();

  FakeModel(int salt, Consumer<List<UserState>> hook) {
    this.salt = salt;
    this.hook = hook;
  }

  /** A loader of such models that remembers them. */
  static ServedVersion.Loader loader(Queue<FakeModel> models, Consumer<List<UserState>> hook) {
    return (bundle, options) -> {
      FakeModel model = new FakeModel(saltOf(bundle), hook);
      models.add(model);
      return model;
    };
  }

  private static int saltOf(ModelBundle bundle) {
    return Integer.parseInt(bundle.document(SALT).orElseThrow());
  }

  /**
   * Writes a bundle with items i0, i1 ... and users u0, u1 ..., whose histories end with theirs.
   */
  static Path write(Path directory, int salt) {
    writer(salt).write(directory);
    return directory;
  }

  static BundleWriter writer(int salt) {
    return new BundleWriter()
        .strategy("fake", "fake", "{}", List.of(TensorSource.of("t", new float[] {salt}, 1)))
        .users(ids("u", USERS))
        .items(ids("i", ITEMS))
        .histories(user -> new int[] {(user + 1) % ITEMS, user})
        .document(SALT, Integer.toString(salt));
  }

  static List<String> ids(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }

  /** The score of an item of the bundle: any number in [0, 1) that depends on everything. */
  static float score(int salt, int[] history, int item) {
    long h = salt * 0x9E3779B97F4A7C15L + Arrays.hashCode(history);
    h = (h ^ item) * 0xBF58476D1CE4E5B9L;
    h ^= h >>> 31;
    h *= 0x94D049BB133111EBL;
    return (h >>> 40) / (float) (1 << 24);
  }

  @Override
  public String name() {
    return "fake";
  }

  @Override
  public Optional<String> policyVersion() {
    return Optional.empty();
  }

  @Override
  public int numItems() {
    return ITEMS;
  }

  @Override
  public int group(int k) {
    return 0;
  }

  @Override
  public RankedLists rank(List<UserState> users, int k, ExcludedItems excluded) {
    if (closed.get() > 0) {
      throw new AssertionError("used after it was closed");
    }
    batches.add(users.size());
    hook.accept(users);
    int[] items = new int[users.size() * k];
    float[] scores = new float[items.length];
    int[] lengths = new int[users.size()];
    for (int list = 0; list < users.size(); list++) {
      int[] history = users.get(list).history();
      int[] out = excluded.of(list);
      long[] mask = excluded.mask(list);
      int[] ranked =
          IntStream.range(0, ITEMS + added.size())
              .filter(i -> Arrays.binarySearch(out, i) < 0)
              .filter(i -> mask == null || (mask[i / 64] & (1L << i)) == 0)
              .boxed()
              .sorted(
                  (a, b) -> {
                    int byScore = Float.compare(scoreOf(history, b), scoreOf(history, a));
                    return byScore != 0 ? byScore : Integer.compare(a, b);
                  })
              .mapToInt(i -> i)
              .limit(k)
              .toArray();
      lengths[list] = ranked.length;
      for (int place = 0; place < ranked.length; place++) {
        items[list * k + place] = ranked[place];
        scores[list * k + place] = scoreOf(history, ranked[place]);
      }
    }
    if (closed.get() > 0) {
      throw new AssertionError("closed while it was used");
    }
    return new RankedLists(k, items, scores, lengths);
  }

  private float scoreOf(int[] history, int place) {
    if (place < ITEMS) {
      return score(salt, history, place);
    }
    int[] kin = added.getOrDefault(place - ITEMS, new int[0]);
    return (float) Arrays.stream(kin).mapToDouble(i -> score(salt, history, i)).average().orElse(0);
  }

  @Override
  public MixedLists rankWithParts(List<UserState> users, int k, ExcludedItems excluded) {
    RankedLists lists = rank(users, k, excluded);
    return new MixedLists(lists, List.of("fake"), lists.scores());
  }

  @Override
  public RankedLists similar(List<int[]> items, int k, ExcludedItems excluded) {
    return rank(items.stream().map(UserState::unseen).toList(), k, excluded);
  }

  @Override
  public List<Explanation> explain(UserState user, int[] items, ExcludedItems excluded) {
    return Arrays.stream(items)
        .mapToObj(
            i ->
                new Explanation(
                    i, false, scoreOf(user.history(), i), List.of(), 0, List.of(), List.of()))
        .toList();
  }

  @Override
  public void place(int slot, int[] kin, float[] weights) {
    added.put(slot, kin);
  }

  @Override
  public int directionWidth() {
    return 2;
  }

  @Override
  public float[] directions(int[] items) {
    float[] directions = new float[2 * items.length];
    for (int i = 0; i < items.length; i++) {
      directions[2 * i] = (float) Math.cos(items[i]);
      directions[2 * i + 1] = (float) Math.sin(items[i]);
    }
    return directions;
  }

  @Override
  public void close() {
    closed.incrementAndGet();
  }
}
