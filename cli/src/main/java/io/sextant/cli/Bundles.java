package io.sextant.cli;

import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.store.BundleWriter;
import java.nio.file.Path;
import java.util.AbstractList;
import org.jspecify.annotations.Nullable;

/** Writes what was fitted as one bundle. */
final class Bundles {

  static final String TITLES = "titles.json";

  private Bundles() {}

  static void write(
      Path directory,
      Fitted fitted,
      Interactions data,
      String recipe,
      long seed,
      @Nullable String titles) {
    BundleWriter writer = new BundleWriter().engineVersion(Main.version());
    fitted
        .strategies()
        .forEach(
            (name, strategy) ->
                writer.strategy(name, strategy.type(), strategy.configJson(), strategy.tensors()));
    writer
        .users(ids(data.users()))
        .items(ids(data.items()))
        .provenance("recipe", recipe)
        .provenance("seed", Long.toString(seed))
        .provenance("data", data.contentHash());
    if (titles != null) {
      writer.document(TITLES, titles);
    }
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
