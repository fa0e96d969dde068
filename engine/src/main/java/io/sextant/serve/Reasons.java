package io.sextant.serve;

import io.sextant.ExplainedItem;
import io.sextant.ExplainedItem.HistoryReason;
import io.sextant.ExplainedItem.Reason;
import io.sextant.meta.Explanation;
import java.util.List;

/** Says with ids what an explanation says with numbers. */
final class Reasons {

  private Reasons() {}

  static ExplainedItem of(Explanation explanation, Query query) {
    List<Reason> reasons =
        explanation.parts().stream()
            .map(
                part ->
                    new Reason(
                        part.strategy(),
                        part.type(),
                        explanation.rescored() ? part.baseline() + part.tilt() : part.retrieval(),
                        part.history().stream()
                            .map(h -> new HistoryReason(query.idOf(h.item()), h.value()))
                            .toList()))
            .toList();
    return new ExplainedItem(
        query.idOf(explanation.item()),
        explanation.score(),
        explanation.describe(query::titleOf),
        reasons,
        explanation.bias());
  }
}
