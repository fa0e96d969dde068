package io.sextant.cli;

import io.sextant.InvalidInputException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How good the estimators are where the truth is known: see {@link MulticlassStudy}. */
@Command(
    name = "study",
    description =
        "Error and coverage of the estimators on uci-multiclass, where the truth is known.")
final class OpeStudy implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--data", required = true, description = "the folder uci-multiclass")
  private Path data = Path.of("");

  @Option(names = "--seeds", description = "logs to draw (default: ${DEFAULT-VALUE})")
  private int seeds = 500;

  @Option(names = "--rounds", description = "rounds of a log (default: ${DEFAULT-VALUE})")
  private int rounds = 1000;

  @Option(names = "--sets", split = ",", description = "some of the sets; default: all")
  private List<String> sets = MulticlassSet.NAMES;

  @Override
  public Integer call() {
    String device = common.host();
    if (seeds < 2 || rounds < 10) {
      throw new InvalidInputException(
          "--seeds must be > 1 and --rounds > 9 but were " + seeds + " and " + rounds);
    }
    Map<String, Object> bySet = new LinkedHashMap<>();
    int cells = sets.size() * MulticlassStudy.EXPLORATION.size();
    try (Progress progress = new Progress("drawing", "logs", 0, (long) seeds * cells)) {
      for (String name : sets) {
        MulticlassStudy study =
            new MulticlassStudy(MulticlassSet.read(data, name), rounds, common.seed());
        Map<String, Object> byLogging = new LinkedHashMap<>();
        MulticlassStudy.EXPLORATION.forEach(
            (quality, epsilon) -> {
              MulticlassStudy.Cell cell = study.run(epsilon, seeds);
              MulticlassStudy.print(System.out, name + ", " + quality + " logging", cell);
              byLogging.put(quality, cell);
              progress.to((long) seeds * (bySet.size() * 3 + byLogging.size()));
            });
        bySet.put(name, byLogging);
      }
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("seeds", seeds);
    result.put("rounds", rounds);
    result.put("sets", bySet);
    common.write("ope study", device, result);
    return 0;
  }
}
