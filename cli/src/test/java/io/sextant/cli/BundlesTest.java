package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import java.util.List;
import org.junit.jupiter.api.Test;

class BundlesTest {

  @Test
  void categoriesOfItemsBecomeAttributes() throws Exception {
    Interactions.Builder rows =
        Interactions.builder(IdIndex.of(List.of("u")), IdIndex.of(List.of("a", "b", "c")));
    rows.add(0, 1, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
    FeatureTable items =
        FeatureTable.builder(3)
            .add(
                new FeatureColumn.Categorical(
                    "brand", List.of("", "Acme", "O\"Neil"), new int[] {2, 1, 0}))
            .add(
                new FeatureColumn.MultiHot(
                    "genre", List.of("", "x", "y"), new int[] {0, 2, 2, 4}, new int[] {1, 2, 0, 2}))
            .add(new FeatureColumn.Numeric("price", new float[] {1, 2, 3}))
            .build();
    Dataset data = new Dataset(rows.build(), FeatureTable.empty(1), items);
    assertThat(new ObjectMapper().readTree(Bundles.attributes(data).get(Bundles.ATTRIBUTES)))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    "{\"a\": {\"brand\": [\"O\\\"Neil\"], \"genre\": [\"x\", \"y\"]},"
                        + " \"b\": {\"brand\": [\"Acme\"]}, \"c\": {\"genre\": [\"y\"]}}"));
    assertThat(Bundles.attributes(Dataset.of(rows.build()))).isEmpty();
  }
}
