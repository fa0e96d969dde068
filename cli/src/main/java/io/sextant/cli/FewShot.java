package io.sextant.cli;

import ai.djl.Device;
import io.sextant.tensor.Devices;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Users never seen in training, ranked for after a few events: {@link FewShotProtocol}. */
@Command(
    name = "fewshot",
    description = "Compares ways to rank for users never seen in training after a few events.")
final class FewShot implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(
      names = "--data",
      required = true,
      description = "folder of the data set: ml-1m for curves, ml-100k for melu")
  private Path data = Path.of("");

  @Option(
      names = "--protocol",
      description =
          "curves (0, 1, 3, 5, 10 events) or melu (all events but ten); default: ${DEFAULT-VALUE}")
  private UnseenUsers.Protocol protocol = UnseenUsers.Protocol.CURVES;

  @Option(
      names = "--seeds",
      description =
          "how many tenths of the users are judged, each with its own seed (default: ${DEFAULT-VALUE})")
  private int seeds = 1;

  @Option(
      names = "--validate-only",
      description = "judge the users for choosing settings and leave the test users alone")
  private boolean validateOnly;

  @Override
  public Integer call() {
    Device device = common.device();
    Map<String, Object> result =
        new FewShotProtocol(
                UnseenUsers.read(data, protocol, common.seed()), seeds, common.seed(), validateOnly)
            .run(device);
    common.write("fewshot", Devices.name(device), result);
    return 0;
  }
}
