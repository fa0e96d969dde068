package io.sextant.meta;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** Puts the largest parts of an explanation into a sentence. */
final class ExplanationSentence {

  private static final int MAX_REASONS = 3;
  private static final int MAX_ITEMS = 2;

  /** Smaller parts than this share of the largest go without saying. */
  private static final double WORTH_SAYING = 0.25;

  private ExplanationSentence() {}

  static String of(Explanation explanation, IntFunction<String> title) {
    List<StrategyPart> reasons = largest(explanation.parts(), explanation::advantage, MAX_REASONS);
    if (reasons.isEmpty()) {
      return "No strategy prefers this item: it fills the list.";
    }
    Map<String, List<String>> strategiesByPhrase = new LinkedHashMap<>();
    String liked = liked(reasons, title);
    for (StrategyPart reason : reasons) {
      String phrase = names(reason) && !liked.isEmpty() ? liked : phrase(reason);
      strategiesByPhrase.computeIfAbsent(phrase, p -> new ArrayList<>()).add(reason.strategy());
    }
    List<String> phrases =
        strategiesByPhrase.entrySet().stream()
            .map(e -> e.getKey() + " (" + String.join(", ", e.getValue()) + ")")
            .toList();
    return "Because " + enumerated(phrases) + ".";
  }

  private static String phrase(StrategyPart reason) {
    return reason.type().equals("popularity") ? "it is popular" : "it suits you";
  }

  /** Whether items of the history speak for the item. */
  private static boolean names(StrategyPart reason) {
    return reason.history().stream().anyMatch(part -> part.value() > 0);
  }

  /** The items of the history that all reasons together name; empty if there is none. */
  private static String liked(List<StrategyPart> reasons, IntFunction<String> title) {
    Map<Integer, Double> values =
        reasons.stream()
            .filter(ExplanationSentence::names)
            .flatMap(reason -> reason.history().stream())
            .collect(
                Collectors.groupingBy(
                    HistoryPart::item,
                    LinkedHashMap::new,
                    Collectors.summingDouble(HistoryPart::value)));
    List<String> titles =
        largest(List.copyOf(values.entrySet()), Map.Entry::getValue, MAX_ITEMS).stream()
            .map(entry -> title.apply(entry.getKey()))
            .toList();
    return titles.isEmpty() ? "" : "you liked " + enumerated(titles);
  }

  /** The largest positive values, largest first; equal ones in the order given. */
  private static <T> List<T> largest(List<T> all, ToDoubleFunction<T> value, int limit) {
    double greatest = all.stream().mapToDouble(value).max().orElse(0);
    return all.stream()
        .filter(t -> value.applyAsDouble(t) > 0)
        .filter(t -> value.applyAsDouble(t) >= WORTH_SAYING * greatest)
        .sorted(Comparator.comparingDouble(value).reversed())
        .limit(limit)
        .toList();
  }

  private static String enumerated(List<String> words) {
    int last = words.size() - 1;
    return last == 0
        ? words.get(0)
        : String.join(", ", words.subList(0, last)) + " and " + words.get(last);
  }
}
