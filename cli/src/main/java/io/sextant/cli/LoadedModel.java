package io.sextant.cli;

import ai.djl.Device;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.InvalidInputException;
import io.sextant.data.IdIndex;
import io.sextant.meta.MixedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredHistories;
import io.sextant.strategy.UserState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A bundle that was opened to recommend with its policy or with one of its strategies. */
final class LoadedModel implements AutoCloseable {

  private final ModelBundle bundle;
  private final IdIndex users;
  private final IdIndex items;
  private final Map<String, String> titles;
  private final Served served;

  private LoadedModel(ModelBundle bundle, Device device, @Nullable String strategyName) {
    this.bundle = bundle;
    users = IdIndex.of(bundle.users());
    items = IdIndex.of(bundle.items());
    titles = bundle.document(Bundles.TITLES).map(LoadedModel::titles).orElse(Map.of());
    // Last, because whoever fails above has nothing to close.
    served = Served.open(bundle, device, strategyName);
  }

  /**
   * One recommended item.
   *
   * @param parts what each strategy, and the policy itself, adds to the score: they sum to it
   */
  record Item(String id, float score, Map<String, Float> parts) {}

  /** For whom a list is made, and what must not be in it. */
  private record Request(UserState user, ExcludedItems excluded) {}

  /** Opens a bundle; without the name of a strategy its policy is used, or its last strategy. */
  static LoadedModel open(Path directory, Device device, @Nullable String strategyName) {
    ModelBundle bundle = ModelBundle.open(directory);
    try {
      return new LoadedModel(bundle, device, strategyName);
    } catch (RuntimeException | Error e) {
      bundle.close();
      throw e;
    }
  }

  /** What makes the lists. */
  Served served() {
    return served;
  }

  /** The policy's version, if it makes the lists. */
  Optional<String> policyVersion() {
    return served instanceof ServedPolicy mixed
        ? Optional.of(mixed.policy().version())
        : Optional.empty();
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
    Request request = request(user, history, includeSeen);
    MixedLists mixed = served.rankWithParts(List.of(request.user()), k, request.excluded());
    int[] ranked = mixed.lists().itemsOf(0);
    float[] scores = mixed.lists().scoresOf(0);
    List<Item> result = new ArrayList<>();
    for (int i = 0; i < ranked.length; i++) {
      result.add(new Item(items.idOf(ranked[i]), scores[i], mixed.partsOf(0, i)));
    }
    return result;
  }

  /** Why each item of that list is recommended, in the list's order. */
  List<Reason> explain(
      @Nullable String user, @Nullable List<String> history, int k, boolean includeSeen) {
    Request request = request(user, history, includeSeen);
    return served.explain(request.user(), k, request.excluded()).stream()
        .map(explanation -> Reason.of(explanation, this))
        .toList();
  }

  private Request request(
      @Nullable String user, @Nullable List<String> history, boolean includeSeen) {
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
    ExcludedItems excluded =
        includeSeen
            ? ExcludedItems.NONE
            : ExcludedItems.of(new int[][] {Arrays.stream(known).sorted().distinct().toArray()});
    return new Request(new UserState(index, known), excluded);
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
    served.close();
    bundle.close();
  }
}
