package io.sextant.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The section of a report about learned step sizes, from what {@link RateRecord} keeps. */
final class RatePage {

  private static final Map<String, String> OUTCOMES =
      Map.of(
          "KEPT", "kept: no worse on the guard",
          "WORSE", "not kept: worse on the guard",
          "NOTHING_LEARNED", "none: the last training diverged, led nowhere or was too short");

  private static final List<String> GROUPS = List.of("dense", "user", "item");

  private RatePage() {}

  /** Adds the section; nothing if no rates were learned. */
  static void add(HtmlPage page, JsonNode rates) {
    if (!rates.isObject()) {
      return;
    }
    page.section("Step sizes")
        .paragraph(
            "Learned by a policy beside whole trainings, each from the start with the mean rates of the one before, and judged by the guard's events, from which nothing has learned:");
    List<List<String>> rows = new ArrayList<>();
    rates
        .path("strategies")
        .properties()
        .forEach(
            strategy -> {
              JsonNode of = strategy.getValue();
              JsonNode difference = of.path("differences").path("ndcg@100");
              String outcome = of.path("outcome").asText();
              for (String group : GROUPS) {
                rows.add(
                    List.of(
                        strategy.getKey(),
                        group,
                        number(of.path("runs").path(0).path("start").path(group)),
                        number(of.path("learned").path(group)),
                        number(of.path("kept").path(group)),
                        number(difference.path("value")),
                        number(difference.path("lo")),
                        number(difference.path("hi")),
                        OUTCOMES.getOrDefault(outcome, outcome)));
              }
            });
    page.table(
        List.of(
            "strategy",
            "parameters",
            "start",
            "learned",
            "used",
            "difference",
            "2.5 %",
            "97.5 %",
            "learned ones"),
        rows);
    rates
        .path("strategies")
        .properties()
        .forEach(strategy -> overTime(page, strategy.getKey(), strategy.getValue()));
  }

  private static void overTime(HtmlPage page, String name, JsonNode of) {
    if (of.path("diverged").asInt() > 0) {
      page.warning("%s: %d trainings diverged".formatted(name, of.path("diverged").asInt()));
    }
    for (String group : GROUPS) {
      page.line(
          "%s, step size of %s parameters by epoch, training after training".formatted(name, group),
          byEpoch(of, group));
    }
    page.line(name + ", loss on the meta set by epoch", byEpoch(of, "metaLoss"));
    page.line(name + ", loss on the guard by epoch", byEpoch(of, "guardLoss"));
  }

  private static List<Double> byEpoch(JsonNode of, String key) {
    List<Double> values = new ArrayList<>();
    for (JsonNode run : of.path("runs")) {
      run.path("epochs").forEach(epoch -> values.add(epoch.path(key).asDouble(Double.NaN)));
    }
    return values;
  }

  private static String number(JsonNode value) {
    return value.isNumber() ? HtmlPage.number(value.asDouble()) : "-";
  }
}
