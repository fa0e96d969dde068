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
import picocli.CommandLine.Parameters;

/** {@code signals}: weights learned from what real events carry; see {@link SignalsProtocol}. */
@Command(
    name = "signals",
    description =
        "Trains on real events with equal weights, with the best hand-set ones and with learned ones.")
final class Signals implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Parameters(
      index = "0",
      paramLabel = "NAME",
      description = {
        "ml-100k: rank the films that a user will rate 4 or more",
        "movietweetings: rank the films that a user will rate 8 or more",
        "retailrocket: rank purchases, from views, carts and purchases"
      })
  private String name = "";

  @Option(names = "--data", required = true, description = "folder of the data set")
  private Path data = Path.of("");

  @Option(
      names = "--seeds",
      description =
          "runs to average, with this seed and those after it (default: ${DEFAULT-VALUE})")
  private int seeds = 1;

  @Option(
      names = "--validate-only",
      description = "judge on the guard slice and leave the test part alone")
  private boolean validateOnly;

  @Override
  public Integer call() {
    SignalsData set = SignalsData.parse(name);
    if (seeds < 1) {
      throw new InvalidInputException("--seeds must be >= 1 but was " + seeds);
    }
    Device device = common.device();
    Map<String, Object> result =
        new SignalsProtocol(set, seeds, common.seed(), validateOnly).run(set.read(data), device);
    result.forEach(
        (key, value) -> {
          if (!key.equals("bySeed")) {
            System.out.println("  " + key + ": " + value);
          }
        });
    common.write("signals", Devices.name(device), result);
    return 0;
  }
}
