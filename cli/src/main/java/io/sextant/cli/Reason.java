package io.sextant.cli;

import io.sextant.meta.Attribution;
import io.sextant.meta.Explanation;
import io.sextant.meta.HistoryPart;
import io.sextant.meta.StrategyPart;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * Why an item is recommended, with ids in place of indices: what {@code recommend --explain} prints
 * and writes.
 *
 * @param item its id
 * @param sentence the largest parts in words
 * @param score by which the item is ordered: the parts' baseline and tilt and the bias add up to
 *     it, or the parts' retrieval where the item was not re-scored
 * @param rescored whether stage 2 has ordered the item
 * @param parts by strategy
 * @param bias what the policy adds to the item whatever the strategies say
 * @param gate why stage 1 weighs the strategies so
 * @param policy why stage 2 does
 */
record Reason(
    String item,
    String sentence,
    double score,
    boolean rescored,
    List<Part> parts,
    double bias,
    List<Attribution> gate,
    List<Attribution> policy) {

  private static final int PRINTED_ITEMS = 3;
  private static final int PRINTED_FEATURES = 3;

  /** What one strategy says; see {@link StrategyPart} for the numbers. */
  record Part(
      String strategy,
      double raw,
      double weight,
      double retrieval,
      List<Liked> history,
      double rest,
      double baseline,
      double tilt,
      double advantage) {}

  /** What an item of the history adds to a strategy's retrieval. */
  record Liked(String item, double value) {}

  static Reason of(Explanation explanation, LoadedModel model) {
    IntFunction<String> id = model.items()::idOf;
    return new Reason(
        id.apply(explanation.item()),
        explanation.describe(item -> model.title(id.apply(item))),
        explanation.score(),
        explanation.rescored(),
        explanation.parts().stream().map(part -> part(explanation, part, id)).toList(),
        explanation.bias(),
        explanation.gate(),
        explanation.policy());
  }

  private static Part part(Explanation explanation, StrategyPart part, IntFunction<String> id) {
    return new Part(
        part.strategy(),
        part.raw(),
        part.weight(),
        part.retrieval(),
        part.history().stream().map(h -> liked(h, id)).toList(),
        part.rest(),
        part.baseline(),
        part.tilt(),
        explanation.advantage(part));
  }

  private static Liked liked(HistoryPart part, IntFunction<String> id) {
    return new Liked(id.apply(part.item()), part.value());
  }

  /** The sentence, and a line of numbers for each strategy, the largest first. */
  String text() {
    StringBuilder text = new StringBuilder("  ").append(sentence).append('\n');
    parts.stream()
        .sorted(Comparator.comparingDouble(part -> -Math.abs(part.advantage())))
        .forEach(part -> text.append(line(part)));
    if (bias != 0) {
      text.append(String.format(Locale.ROOT, "    %+.4f  the item itself%n", bias));
    }
    policy.stream()
        .filter(attribution -> attribution.output().equals(Attribution.SCORE))
        .forEach(attribution -> text.append(line(attribution)));
    return text.toString();
  }

  private String line(Part part) {
    StringBuilder line =
        new StringBuilder(
            rescored
                ? String.format(
                    Locale.ROOT,
                    "    %+.4f  %s (shared weight %+.4f, policy %+.4f)",
                    part.baseline() + part.tilt(),
                    part.strategy(),
                    part.baseline(),
                    part.tilt())
                : String.format(Locale.ROOT, "    %+.4f  %s", part.retrieval(), part.strategy()));
    if (!part.history().isEmpty()) {
      line.append("; of retrieval");
      part.history().stream()
          .limit(PRINTED_ITEMS)
          .forEach(
              liked ->
                  line.append(
                      String.format(Locale.ROOT, " %+.4f %s", liked.value(), liked.item())));
    }
    return line.append('\n').toString();
  }

  /** The features that move the policy most. */
  private static String line(Attribution attribution) {
    StringBuilder line = new StringBuilder("    the policy looked at");
    attribution.effects().stream()
        .sorted(Comparator.comparingDouble(effect -> -Math.abs(effect.effect())))
        .limit(PRINTED_FEATURES)
        .forEach(
            effect ->
                line.append(
                    String.format(Locale.ROOT, " %s %+.4f", effect.feature(), effect.effect())));
    return line.append('\n').toString();
  }
}
