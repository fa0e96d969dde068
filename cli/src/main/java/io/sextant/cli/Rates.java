package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.tensor.Devices;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rates}: step sizes learned from starts far off; see {@link RatesProtocol}. */
@Command(
    name = "rates",
    description = "Learns step sizes from starts ten times too low and too high, beside a grid.")
final class Rates implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--data", required = true, description = "folder of ml-1m, which holds ncf-loo")
  private Path data = Path.of("");

  @Option(names = "--users", description = "about so many of the users (default: ${DEFAULT-VALUE})")
  private int users = 2000;

  @Option(names = "--epochs", description = "of every training (default: ${DEFAULT-VALUE})")
  private int epochs = 20;

  @Option(
      names = "--seeds",
      description = "this seed and those after it (default: ${DEFAULT-VALUE})")
  private int seeds = 1;

  @Option(
      names = "--validate-only",
      description = "judge on the validation slice and leave the test slice alone")
  private boolean validateOnly;

  @Override
  public Integer call() {
    if (seeds < 1 || users < 1 || epochs < 1) {
      throw new InvalidInputException(
          "--seeds, --users and --epochs must be >= 1 but were %d, %d and %d"
              .formatted(seeds, users, epochs));
    }
    Device device = common.device();
    Map<String, Object> result =
        new RatesProtocol(users, epochs, seeds, common.seed(), validateOnly)
            .run(NoiseWorld.read(data), device);
    result.forEach(
        (key, value) -> {
          if (!key.equals("bySeed")) {
            System.out.println("  " + key + ": " + value);
          }
        });
    common.write("rates", Devices.name(device), result);
    return 0;
  }
}
