package io.sextant.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.InvalidInputException;
import io.sextant.store.ModelBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** One page about how a bundle was made, from what {@code train} keeps in it. */
@Command(name = "report", description = "Writes one self-contained page about a trained bundle.")
final class Report implements Callable<Integer> {

  @Option(names = "--run", required = true, description = "folder of a bundle written by train")
  private Path run = Path.of("");

  @Option(names = "--out", required = true, description = "the page, as report.html")
  private Path out = Path.of("");

  @Override
  public Integer call() {
    JsonNode record;
    try (ModelBundle bundle = ModelBundle.open(run)) {
      String json =
          bundle
              .document(TrainingRecord.DOCUMENT)
              .orElseThrow(
                  () ->
                      new InvalidInputException(
                          "bundle %s holds no record of its training: train it again"
                              .formatted(run)));
      record = new ObjectMapper().readTree(json);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          "the record of bundle %s is no JSON: %s".formatted(run, e.getOriginalMessage()), e);
    }
    write(out, page(record));
    System.out.println("wrote " + out);
    return 0;
  }

  /** Writes a page whole or not at all. */
  static void write(Path out, String html) {
    Path target = out.toAbsolutePath();
    Path beside = target.resolveSibling("." + target.getFileName() + ".tmp");
    try {
      Files.writeString(beside, html);
      Files.move(beside, target, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new InvalidInputException(
          "the report cannot be written to %s: %s; choose another --out".formatted(out, e), e);
    }
  }

  static String page(JsonNode record) {
    HtmlPage page = new HtmlPage("Sextant: how this model was made");
    overview(page, record);
    fits(page, record.path("fits"));
    RatePage.add(page, record.path("rates"));
    WeightPage.add(page, record.path("weights"));
    policy(page, record);
    frontier(page, record.path("frontier"));
    tuning(page, record.path("tuning"));
    page.section("Recipe").preformatted(record.path("recipe").asText());
    return page.html();
  }

  private static void overview(HtmlPage page, JsonNode record) {
    JsonNode data = record.path("data");
    page.paragraph(
        String.format(
            Locale.ROOT,
            "%,d events of %,d users with %,d items; policy %s; seed %d, on %s, Sextant %s (%s).",
            data.path("events").asLong(),
            data.path("users").asLong(),
            data.path("items").asLong(),
            record.path("policyVersion").asText("none"),
            record.path("seed").asLong(),
            record.path("device").asText(),
            record.path("version").asText(),
            record.path("commit").asText()));
    record.path("warnings").forEach(warning -> page.warning("Warning: " + warning.asText()));
  }

  private static void fits(HtmlPage page, JsonNode fits) {
    page.section("Strategies");
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode fit : fits) {
      JsonNode training = fit.path("training");
      rows.add(
          List.of(
              fit.path("strategy").asText(),
              fit.path("type").asText(),
              number(fit.path("seconds")),
              number(fit.path("modelMb")),
              training.path("epochs").asText("-"),
              number(training.path("examplesPerSecond"))));
    }
    page.table(List.of("strategy", "type", "fit, s", "model, MB", "epochs", "examples/s"), rows);
    for (JsonNode fit : fits) {
      JsonNode training = fit.path("training");
      if (training.isMissingNode()) {
        continue;
      }
      String name = fit.path("strategy").asText();
      page.line(name + ", mean loss by epoch", values(training.path("meanLosses")));
      training
          .path("validations")
          .path(0)
          .fieldNames()
          .forEachRemaining(
              metric -> {
                List<Double> values = new ArrayList<>();
                training
                    .path("validations")
                    .forEach(epoch -> values.add(epoch.path(metric).asDouble(Double.NaN)));
                page.line(name + ", validation " + metric + " by epoch", values);
              });
      if (training.path("skippedSteps").asLong() > 0) {
        page.warning(
            "%s: %d steps were skipped because the loss was not finite"
                .formatted(name, training.path("skippedSteps").asLong()));
      }
    }
  }

  private static void policy(HtmlPage page, JsonNode record) {
    JsonNode profile = record.path("policyProfile");
    if (!profile.isObject()) {
      return;
    }
    page.section("What the policy does")
        .note(
            "For %d users picked at random: the weights of stage 1, and what each strategy says for the best item rather than for others, of which the policy's part."
                .formatted(profile.path("users").asInt()));
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode use : profile.path("strategies")) {
      List<String> row = new ArrayList<>(List.of(use.path("strategy").asText()));
      use.path("weights").forEach(weight -> row.add(number(weight)));
      row.add(number(use.path("advantage")));
      row.add(number(use.path("tilt")));
      rows.add(row);
    }
    page.table(
        List.of("strategy", "weight 5 %", "25 %", "median", "75 %", "95 %", "says", "policy"),
        rows);
    features(page, "Features by which stage 1 weighs the strategies", profile.path("gateFeatures"));
    features(page, "Features by which stage 2 scores the best item", profile.path("scoreFeatures"));
  }

  private static void features(HtmlPage page, String title, JsonNode features) {
    if (features.isEmpty()) {
      return;
    }
    page.paragraph(title + " (mean absolute effect, integrated gradients):");
    List<HtmlPage.Bar> bars = new ArrayList<>();
    for (JsonNode feature : features) {
      if (bars.size() < 15) {
        bars.add(
            new HtmlPage.Bar(feature.path("feature").asText(), feature.path("effect").asDouble()));
      }
    }
    page.bars(bars);
  }

  private static void frontier(HtmlPage page, JsonNode frontier) {
    if (frontier.isEmpty()) {
      return;
    }
    page.section("Cost and quality")
        .note("Parts of the pool with global weights, on held-out users; point at one to see it.");
    List<HtmlPage.Point> points = new ArrayList<>();
    for (JsonNode point : frontier) {
      List<String> names = new ArrayList<>();
      point.path("strategies").forEach(name -> names.add(name.asText()));
      double millis = point.path("millisPer1000Users").asDouble();
      double ndcg = point.path("ndcg").asDouble();
      points.add(
          new HtmlPage.Point(
              millis,
              ndcg,
              "%s ms, ndcg %s: %s"
                  .formatted(
                      HtmlPage.number(millis), HtmlPage.number(ndcg), String.join(", ", names))));
    }
    page.points("milliseconds for 1,000 users", "NDCG", points);
  }

  private static void tuning(HtmlPage page, JsonNode tuning) {
    if (tuning.isEmpty()) {
      return;
    }
    page.section("Tuning");
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode one : tuning) {
      double seconds = 0;
      for (JsonNode trial : one.path("trials")) {
        seconds += trial.path("seconds").asDouble();
      }
      JsonNode found = one.path("best").path("settings");
      rows.add(
          List.of(
              one.path("strategy").asText(),
              Integer.toString(one.path("trials").size()),
              HtmlPage.number(seconds),
              number(one.path("standard").path("value")),
              number(one.path("best").path("value")),
              found.isEmpty() ? "as in the recipe" : found.toString()));
    }
    page.table(List.of("strategy", "trials", "seconds", "recipe", "best", "settings"), rows);
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
