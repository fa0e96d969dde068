package io.sextant.cli;

import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.meta.MetaPolicy;
import io.sextant.store.BundleWriter;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes what was fitted as one bundle. */
final class Bundles {

  /** Titles of items by id, as JSON. */
  static final String TITLES = "titles.json";

  private Bundles() {}

  /**
   * Writes a bundle.
   *
   * @param policy that mixes the strategies; null for none
   * @param data all events, those included that only stopped the training: users are served by all
   *     that is known of them
   * @param histories whether the bundle holds what each user did
   * @param documents texts by name
   */
  static void write(
      Path directory,
      Fitted fitted,
      @Nullable MetaPolicy policy,
      Interactions data,
      boolean histories,
      String recipe,
      long seed,
      Map<String, String> documents) {
    BundleWriter writer = new BundleWriter().engineVersion(Main.version());
    fitted
        .strategies()
        .forEach(
            (name, strategy) ->
                writer.strategy(name, strategy.type(), strategy.configJson(), strategy.tensors()));
    if (policy != null) {
      writer.policy(policy.version(), policy.configJson(), policy.tensors());
    }
    writer
        .users(ids(data.users()))
        .items(ids(data.items()))
        .provenance("recipe", recipe)
        .provenance("seed", Long.toString(seed))
        .provenance("data", data.contentHash());
    if (histories) {
      writer.histories(data::historyOf);
    }
    documents.forEach(writer::document);
    writer.write(directory);
  }

  private static Iterable<String> ids(IdIndex index) {
    return new AbstractList<>() {
      @Override
      public String get(int i) {
        return index.idOf(i);
      }

      @Override
      public int size() {
        return index.size();
      }
    };
  }
}
