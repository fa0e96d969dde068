package io.sextant.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The section of a report about weights of events, from what {@link WeightRecord} keeps. */
final class WeightPage {

  private static final int MAX_FEATURES = 15;

  private WeightPage() {}

  /** Adds the section; nothing if no weights were learned. */
  static void add(HtmlPage page, JsonNode weights) {
    if (!weights.isObject()) {
      return;
    }
    page.section("Weights of events")
        .paragraph(
            "Outcome: %s, after %d steps of the policy%s. Weights have mean 1; so many of the events, equally weighted, would carry as much: %s."
                .formatted(
                    weights.path("outcome").asText(),
                    weights.path("steps").asLong(),
                    weights.has("learner")
                        ? " beside a model of type " + weights.path("learner").asText()
                        : "",
                    number(weights.path("effectiveShare"))));
    distribution(page, weights);
    strategies(page, weights.path("strategies"));
    features(page, weights.path("features"));
    page.line("gain on the meta set by epoch", values(weights.path("metaGains")));
    page.line("gain on the guard by epoch", values(weights.path("guardGains")));
    separation(page, "trusted", "other", weights.path("trusted"));
    separation(page, "clean", "corrupt", weights);
  }

  private static void distribution(HtmlPage page, JsonNode weights) {
    List<String> header = new ArrayList<>(List.of("share of the events"));
    weights
        .path("quantileLevels")
        .forEach(level -> header.add("%.0f %%".formatted(100 * level.asDouble())));
    List<String> row = new ArrayList<>(List.of("weigh at most"));
    weights.path("quantiles").forEach(quantile -> row.add(number(quantile)));
    page.table(header, List.of(row));
  }

  private static void strategies(HtmlPage page, JsonNode strategies) {
    if (strategies.isEmpty()) {
      return;
    }
    page.paragraph(
        "With weights and without, on the guard's events, from which nothing has learned:");
    List<List<String>> rows = new ArrayList<>();
    strategies
        .properties()
        .forEach(
            strategy -> {
              JsonNode tried = strategy.getValue();
              String kept = tried.path("kept").asBoolean() ? "kept" : "not kept";
              if (tried.path("differences").isEmpty()) {
                rows.add(List.of(strategy.getKey(), "-", "-", "-", "-", kept));
              }
              tried
                  .path("differences")
                  .properties()
                  .forEach(
                      metric ->
                          rows.add(
                              List.of(
                                  strategy.getKey(),
                                  metric.getKey(),
                                  number(metric.getValue().path("value")),
                                  number(metric.getValue().path("lo")),
                                  number(metric.getValue().path("hi")),
                                  kept)));
            });
    page.table(List.of("strategy", "metric", "difference", "2.5 %", "97.5 %", "weights"), rows);
  }

  private static void features(HtmlPage page, JsonNode features) {
    if (features.isEmpty()) {
      return;
    }
    page.paragraph(
        "Features that drive the weights: mean change of a weight when the feature is put to its mean, with the sign of its correlation with the weight:");
    List<HtmlPage.Bar> bars = new ArrayList<>();
    for (JsonNode feature : features) {
      if (bars.size() < MAX_FEATURES) {
        double sign = feature.path("correlation").asDouble() < 0 ? -1 : 1;
        bars.add(
            new HtmlPage.Bar(
                feature.path("name").asText(), sign * feature.path("effect").asDouble()));
      }
    }
    page.bars(bars);
  }

  private static void separation(HtmlPage page, String one, String other, JsonNode separation) {
    if (!separation.has("weightAuc")) {
      return;
    }
    page.paragraph("How well weights tell %s events from %s ones:".formatted(one, other));
    page.table(
        List.of("", "AUC of the weights", "of popularity alone", "mean " + one, "mean " + other),
        List.of(
            List.of(
                one + " from " + other,
                number(separation.path("weightAuc")),
                number(separation.path("popularityAuc")),
                number(separation.path("meanClean")),
                number(separation.path("meanCorrupt")))));
  }

  private static List<Double> values(JsonNode array) {
    List<Double> values = new ArrayList<>();
    array.forEach(value -> values.add(value.asDouble(Double.NaN)));
    return values;
  }

  private static String number(JsonNode value) {
    return value.isNumber() ? HtmlPage.number(value.asDouble()) : "-";
  }
}
