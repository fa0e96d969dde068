package io.sextant.serve;

import io.sextant.InvalidInputException;
import io.sextant.data.IdIndex;
import io.sextant.meta.ServableModel;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredHistories;
import io.sextant.strategy.UserState;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One model that serves, or served until the last of its requests is done. It counts who uses it;
 * the memory is freed by the last who lets go after it was retired.
 *
 * <p>Thread safety: safe.
 */
final class ServedVersion {

  /** The document of a bundle that says which attributes items have. */
  static final String ATTRIBUTES = "attributes.json";

  /** The document of a bundle that says how people call items. */
  static final String TITLES = "titles.json";

  /** Makes of an open bundle what makes the lists. */
  @FunctionalInterface
  interface Loader {
    /** Loads the model; the bundle is lent and closed afterwards. */
    ServableModel load(ModelBundle bundle, RecommenderOptions options);
  }

  private final String id;
  private final ServableModel model;

  /**
   * Histories of the users, as {@link StoredHistories}, in the heap: whoever is interrupted in
   * reading a file closes it for all.
   */
  private final int[] offsets;

  private final int[] histories;
  private final IdIndex users;
  private final Catalogue catalogue;
  private final Map<String, String> titles;
  private final Instant since = Instant.now();
  private final AtomicInteger uses = new AtomicInteger(1);
  private final CountDownLatch freed = new CountDownLatch(1);

  private ServedVersion(ModelBundle bundle, ServableModel model, int spare) {
    this.id = bundle.contentId();
    this.model = model;
    offsets = bundle.histories().map(StoredHistories::allOffsets).orElse(new int[0]);
    histories = bundle.histories().map(StoredHistories::allItems).orElse(new int[0]);
    users = IdIndex.of(bundle.users());
    IdIndex items = IdIndex.of(bundle.items());
    if (model.numItems() != items.size()) {
      throw new InvalidInputException(
          "%s: the model scores %d items but there are the ids of %d"
              .formatted(bundle.directory(), model.numItems(), items.size()));
    }
    catalogue = new Catalogue(items, spare, model::place);
    bundle
        .document(ATTRIBUTES)
        .ifPresent(
            json ->
                Documents.attributes(json, where(bundle, ATTRIBUTES))
                    .forEach(
                        (item, values) -> {
                          int place = catalogue.placeOf(item);
                          if (place >= 0) {
                            catalogue.setAttributes(place, values);
                          }
                        }));
    titles =
        bundle
            .document(TITLES)
            .map(t -> Documents.titles(t, where(bundle, TITLES)))
            .orElse(Map.of());
  }

  private static String where(ModelBundle bundle, String document) {
    return bundle.directory().resolve(document).toString();
  }

  /**
   * Opens a bundle, loads its model, and tries it.
   *
   * @throws InvalidInputException if it cannot be served; then nothing stays behind
   */
  static ServedVersion open(Path directory, RecommenderOptions options, Loader loader) {
    ServableModel model = null;
    try (ModelBundle bundle = ModelBundle.open(directory)) {
      model = loader.load(bundle, options);
      ServedVersion version = new ServedVersion(bundle, model, options.maxNewItems());
      version.probe();
      return version;
    } catch (RuntimeException | Error e) {
      if (model != null) {
        model.close();
      }
      throw e;
    }
  }

  /** Makes lists for a few users before anybody relies on it. */
  private void probe() {
    List<UserState> probes = new ArrayList<>();
    probes.add(UserState.unseen());
    if (catalogue.numItems() > 0) {
      probes.add(UserState.unseen(0));
      probes.add(UserState.unseen(catalogue.numItems() - 1));
    }
    for (int user = 0; user < Math.min(2, users.size()); user++) {
      probes.add(new UserState(user, storedHistory(user)));
    }
    long[] mask = catalogue.mask(List.of());
    model.rank(probes, 1, new Masked(mask));
  }

  /** Excludes the same places from every list. */
  private record Masked(long[] bits) implements ExcludedItems {
    @Override
    public int[] of(int list) {
      return NONE.of(list);
    }

    @Override
    public long[] mask(int list) {
      return bits;
    }
  }

  String id() {
    return id;
  }

  /** The version that decisions name: the policy's, or where there is none the bundle's. */
  String policyVersion() {
    return model.policyVersion().orElse(id);
  }

  Instant since() {
    return since;
  }

  ServableModel model() {
    return model;
  }

  Catalogue catalogue() {
    return catalogue;
  }

  /** The number of a user whom training has seen, or -1. */
  int indexOf(@Nullable String userId) {
    return userId == null ? -1 : users.indexOf(userId);
  }

  /** What a user had done when the bundle was made. */
  int[] storedHistory(int user) {
    return user < 0 || offsets.length == 0
        ? new int[0]
        : Arrays.copyOfRange(histories, offsets[user], offsets[user + 1]);
  }

  /** How people call an item: its title, or its id. */
  String titleOf(int place) {
    String id = catalogue.idOf(place);
    return titles.getOrDefault(id, id);
  }

  /** Begins a use; false if it is freed already. */
  boolean acquire() {
    int now = uses.get();
    while (now > 0) {
      if (uses.compareAndSet(now, now + 1)) {
        return true;
      }
      now = uses.get();
    }
    return false;
  }

  /** Ends a use, or at last the service of this version. */
  void release() {
    if (uses.decrementAndGet() == 0) {
      try {
        model.close();
      } finally {
        freed.countDown();
      }
    }
  }

  /** Is counted down when the memory is freed. */
  CountDownLatch freed() {
    return freed;
  }
}
