package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.Flavor;
import io.sextant.nativeconfig.OfflineBundle;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a bundle for a host without a network. */
@Command(
    name = "bundle",
    description = "Makes a bundle of libtorch, Java and Sextant for a host without a network.")
final class NativeBundle implements Callable<Integer> {

  private static final Pattern SIZE = Pattern.compile("(\\d{1,9})([kmg])|(\\d{1,12})");

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(
      names = "--flavor",
      required = true,
      description = "cpu, or cu128 (see sextant native install)")
  private Flavor flavor = Flavor.CPU;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "the folder to make; it appears whole or not at all")
  private Path out = Path.of("");

  @Option(
      names = "--part-size",
      description = "the most that a part may have: bytes, or 700k, 55m, 1g (default: 1g)")
  private String partSize = "1g";

  @Option(
      names = "--arch",
      description =
          "GPU code to keep in PyTorch's libraries: sm_50, sm_60, sm_70, sm_80, sm_90 (each for devices of that major version) or all (default)")
  private @Nullable String architecture;

  @Option(
      names = "--no-stubs",
      description = "ship the real libraries in the place of placeholders (flavor cu128)")
  private boolean noStubs;

  @Option(
      names = "--compression",
      description = "from 1, fast, to 9, small (default: ${DEFAULT-VALUE})")
  private int compression = 6;

  @Override
  public Integer call() {
    if (flavor == Flavor.CPU && (architecture != null || noStubs)) {
      throw new InvalidInputException(
          "--arch and --no-stubs are for flavor cu128; leave them out with flavor cpu");
    }
    String device = common.host();
    OfflineBundle.Options options =
        new OfflineBundle.Options(
            flavor,
            architecture == null ? "all" : architecture,
            bytes(partSize),
            flavor == Flavor.CU128 && !noStubs,
            classPath(),
            Main.class.getName(),
            compression);
    OfflineBundle.Result made =
        OfflineBundle.write(options, out, line -> System.err.println("native: " + line));
    long total = made.parts().stream().mapToLong(OfflineBundle.Part::bytes).sum();
    System.out.printf(
        Locale.ROOT,
        "%d parts, %d bytes in %s; on the host: bash install.sh TARGET%n",
        made.parts().size(),
        total,
        out);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("flavor", flavor.id());
    result.put("architecture", options.architecture());
    result.put("placeholders", options.placeholders());
    result.put("runtime", made.runtime());
    result.put("libraries", made.libraries());
    result.put("unpackedBytes", made.unpackedBytes());
    result.put("bytes", total);
    result.put("parts", made.parts());
    common.write("native bundle", device, result);
    return 0;
  }

  static long bytes(String text) {
    Matcher size = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (!size.matches()) {
      throw new InvalidInputException(
          "--part-size must be as 55m, 700k, 1g or a number of bytes but was '" + text + "'");
    }
    if (size.group(3) != null) {
      return Long.parseLong(size.group(3));
    }
    return Long.parseLong(size.group(1)) << 10 * (1 + "kmg".indexOf(size.group(2)));
  }

  /** What this process runs from: Java has replaced the launcher's lib/* by the jars. */
  private static List<Path> classPath() {
    List<Path> entries = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (!entry.isEmpty() && Files.exists(Path.of(entry))) {
        entries.add(Path.of(entry));
      }
    }
    return entries;
  }
}
