package io.sextant.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.meta.MetaPolicy;
import io.sextant.store.BundleWriter;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Writes what was fitted as one bundle. */
final class Bundles {

  /** Titles of items by id, as JSON. */
  static final String TITLES = "titles.json";

  /** Attributes of items by id, as JSON: what requests can filter by. */
  static final String ATTRIBUTES = "attributes.json";

  private Bundles() {}

  /** The categories of items; no document where there are none. */
  static Map<String, String> attributes(Dataset data) {
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    for (FeatureColumn column : data.items().columns()) {
      for (int item = 0; item < data.items().numRows(); item++) {
        List<String> values = values(column, item);
        if (!values.isEmpty()) {
          ArrayNode array =
              all.withObjectProperty(data.interactions().items().idOf(item))
                  .putArray(column.name());
          values.forEach(array::add);
        }
      }
    }
    return all.isEmpty() ? Map.of() : Map.of(ATTRIBUTES, all.toString());
  }

  private static List<String> values(FeatureColumn column, int item) {
    if (column instanceof FeatureColumn.Categorical one) {
      int code = one.codes()[item];
      return code == 0 ? List.of() : List.of(one.vocabulary().get(code));
    }
    if (column instanceof FeatureColumn.MultiHot several) {
      return IntStream.range(several.offsets()[item], several.offsets()[item + 1])
          .map(at -> several.codes()[at])
          .filter(code -> code != 0)
          .mapToObj(several.vocabulary()::get)
          .distinct()
          .toList();
    }
    return List.of();
  }

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
