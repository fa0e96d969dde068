package io.sextant.cli;

import ai.djl.Device;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.IdIndex;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredHistories;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategies;
import io.sextant.strategy.UserState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A bundle that was opened to recommend with one of its strategies. */
final class LoadedModel implements AutoCloseable {

  private final ModelBundle bundle;
  private final IdIndex users;
  private final IdIndex items;
  private final Map<String, String> titles;
  private final FittedStrategy strategy;
  private final String strategyName;
  private final Ranker ranker;

  private LoadedModel(ModelBundle bundle, Device device, @Nullable String strategyName) {
    this.bundle = bundle;
    users = IdIndex.of(bundle.users());
    items = IdIndex.of(bundle.items());
    titles = bundle.document(Bundles.TITLES).map(LoadedModel::titles).orElse(Map.of());
    this.strategyName =
        strategyName == null
            ? bundle.strategies().get(bundle.strategies().size() - 1).name()
            : strategyName;
    strategy = Strategies.load(bundle.strategy(this.strategyName), device);
    // Last, because whoever fails above has nothing to close.
    ranker = new Ranker();
  }

  /**
   * One recommended item.
   *
   * @param parts what each strategy adds to the score
   */
  record Item(String id, float score, Map<String, Float> parts) {}

  /** Opens a bundle; without a name its last strategy is used. */
  static LoadedModel open(Path directory, Device device, @Nullable String strategyName) {
    ModelBundle bundle = ModelBundle.open(directory);
    try {
      return new LoadedModel(bundle, device, strategyName);
    } catch (RuntimeException | Error e) {
      bundle.close();
      throw e;
    }
  }

  FittedStrategy strategy() {
    return strategy;
  }

  String strategyName() {
    return strategyName;
  }

  IdIndex users() {
    return users;
  }

  IdIndex items() {
    return items;
  }

  /** What each user did, if the bundle says. */
  Optional<StoredHistories> histories() {
    return bundle.histories();
  }

  /** The title of an item, or its id where there is none. */
  String title(String id) {
    return Optional.ofNullable(titles.get(id)).orElse(id);
  }

  /**
   * The best k items for one user.
   *
   * @param user an id known from training, or null for a user known by history alone
   * @param history item ids, oldest first; ids that training never saw are passed over. Null for
   *     the user's history in the bundle
   * @param includeSeen whether items of the history may be recommended
   */
  List<Item> recommend(
      @Nullable String user, @Nullable List<String> history, int k, boolean includeSeen) {
    int index = user == null ? -1 : users.indexOf(user);
    if (user != null && index < 0) {
      throw new InvalidInputException(
          "user '%s' was not there in training; give a --history to serve someone new"
              .formatted(user));
    }
    int[] known =
        history == null
            ? storedHistory(index)
            : history.stream().mapToInt(items::indexOf).filter(i -> i >= 0).toArray();
    List<UserState> state = List.of(new UserState(index, known));
    RankedLists lists =
        includeSeen
            ? ranker.rank(strategy, state, k, ExcludedItems.NONE)
            : ranker.rank(strategy, state, k);
    int[] ranked = lists.itemsOf(0);
    float[] scores = lists.scoresOf(0);
    List<Item> result = new ArrayList<>();
    for (int i = 0; i < ranked.length; i++) {
      result.add(new Item(items.idOf(ranked[i]), scores[i], Map.of(strategyName, scores[i])));
    }
    return result;
  }

  private int[] storedHistory(int user) {
    return user < 0 ? new int[0] : histories().map(h -> h.of(user)).orElse(new int[0]);
  }

  private static Map<String, String> titles(String json) {
    try {
      Map<String, String> titles = new ObjectMapper().readValue(json, new TypeReference<>() {});
      return titles == null ? Map.of() : titles;
    } catch (JsonProcessingException e) {
      throw new InvalidInputException("the bundle's titles are no JSON: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    strategy.close();
    ranker.close();
    bundle.close();
  }
}
