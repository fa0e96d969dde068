package io.sextant.cli;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.tensor.Devices;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code noise}: policy-guided training where a share of the positives is accidental, on
 * MovieLens-1M's training file of neural collaborative filtering; see {@link NoiseProtocol}.
 */
@Command(
    name = "noise",
    description = "Trains on corrupted positives, with equal and with learned weights.")
final class Noise implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--data", required = true, description = "folder of ml-1m, which holds ncf-loo")
  private Path data = Path.of("");

  @Option(
      names = "--rate",
      required = true,
      description = "share of the positives that are replaced by random ones, from 0 to below 1")
  private double rate;

  @Option(
      names = "--informative",
      arity = "0..1",
      fallbackValue = "true",
      description =
          "whether one of five features differs between the two kinds (default: ${DEFAULT-VALUE})")
  private boolean informative;

  @Option(names = "--seeds", description = "runs to average (default: ${DEFAULT-VALUE})")
  private int seeds = 1;

  @Option(
      names = "--validate-only",
      description = "judge on the guard slice and leave the test slice alone")
  private boolean validateOnly;

  @Option(names = "--report", description = "write one page about the weights to this file")
  private @Nullable Path report;

  @Override
  public Integer call() {
    if (!(rate >= 0 && rate < 1)) {
      throw new InvalidInputException("--rate must be in [0, 1) but was " + rate);
    }
    if (seeds < 1) {
      throw new InvalidInputException("--seeds must be >= 1 but was " + seeds);
    }
    Device device = common.device();
    Interactions all = NoiseWorld.read(data);
    Map<String, Object> result =
        new NoiseProtocol(rate, informative, seeds, common.seed(), validateOnly).run(all, device);
    result.forEach(
        (key, value) -> {
          if (!key.equals("bySeed")) {
            System.out.println("  " + key + ": " + value);
          }
        });
    if (report != null) {
      Report.write(report, page(new ObjectMapper().valueToTree(result)));
    }
    common.write("noise", Devices.name(device), result);
    return 0;
  }

  private static String page(JsonNode result) {
    HtmlPage page = new HtmlPage("Sextant: weights under corrupted positives");
    page.paragraph(
        "A share of %s of the events to learn from was replaced by random ones; informative feature: %s."
            .formatted(result.path("rate").asText(), result.path("informative").asText()));
    for (JsonNode run : result.path("bySeed")) {
      page.section("Seed " + run.path("seed").asText())
          .paragraph("Kept: " + (run.path("pays").asBoolean() ? "yes" : "no") + ".");
      WeightPage.add(page, run.path("policy"));
    }
    return page.html();
  }
}
