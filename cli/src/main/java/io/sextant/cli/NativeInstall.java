package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.CudaLibtorch;
import io.sextant.nativeconfig.Flavor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Puts a CUDA libtorch together from jars that Maven has fetched. */
@Command(
    name = "install",
    description =
        "Puts a CUDA libtorch together from Maven artifacts that are on this machine; fetches nothing.")
final class NativeInstall implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--flavor", description = "cu128 (default: ${DEFAULT-VALUE})")
  private Flavor flavor = Flavor.CU128;

  @Option(
      names = "--from",
      paramLabel = "DIR",
      description = "jars, folders of jars or local Maven repositories; default: Maven's own")
  private @Nullable List<Path> from;

  @Override
  public Integer call() {
    if (flavor != Flavor.CU128) {
      throw new InvalidInputException(
          "--flavor must be cu128 but was %s: the CPU build needs no installation"
              .formatted(flavor.id()));
    }
    String device = common.host();
    List<Path> sources = from;
    if (sources == null) {
      String repository = System.getProperty("maven.repo.local");
      sources =
          List.of(
              repository != null
                  ? Path.of(repository)
                  : Path.of(System.getProperty("user.home"), ".m2", "repository"));
    }
    Path folder = CudaLibtorch.install(sources, line -> System.err.println("native: " + line));
    System.out.println(folder);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("flavor", flavor.id());
    result.put("folder", folder.toString());
    common.write("native install", device, result);
    return 0;
  }
}
