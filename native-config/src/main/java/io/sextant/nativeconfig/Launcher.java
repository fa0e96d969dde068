package io.sextant.nativeconfig;

import java.util.Map;
import java.util.stream.Collectors;

/** The two scripts of an offline bundle, filled in. */
final class Launcher {

  private static final String DRIVER =
      """
      # The driver's folder, where the system's loader would not find it by itself.
      for folder in /usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/lib/wsl/lib; do
        [ ! -e "$folder/libcuda.so.1" ] || LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$folder
      done""";

  private Launcher() {}

  /** The command of an unpacked bundle; says the same as {@link LaunchFlags}. */
  static String script(OfflineBundle.Options options) {
    NativeConfig config = NativeConfig.builder().flavor(options.flavor()).threads(1).build();
    LaunchFlags launch = LaunchFlags.forJdk(Runtime.version().feature(), config);
    String environment =
        launch.environment().entrySet().stream()
            // The number of threads depends on the host: it is worked out in the JVM.
            .filter(e -> !e.getKey().equals("OMP_NUM_THREADS"))
            .map(e -> "export %s=${%s:-%s}".formatted(e.getKey(), e.getKey(), e.getValue()))
            .collect(Collectors.joining("\n"));
    String commit = System.getProperty("sextant.commit", "unknown").replaceAll("[^\\w.-]", "");
    boolean cuda = options.flavor() == Flavor.CU128;
    return fill(
        OfflineBundle.resource("sextant"),
        Map.of(
            "FLAVOR",
            cuda ? Flavor.CU128.id() : Flavor.LOCAL.id(),
            "DRIVER",
            cuda ? DRIVER : "",
            "ENVIRONMENT",
            environment,
            "FLAGS",
            String.join(" ", launch.jvmFlags()) + " -Dsextant.commit=" + commit,
            "MAIN",
            options.mainClass()));
  }

  static String installer(OfflineBundle.Result result) {
    // The libraries lie beside their compressed form for a while.
    long need = result.unpackedBytes() + result.parts().stream().mapToLong(p -> p.bytes()).sum();
    return fill(
        OfflineBundle.resource("install.sh"),
        Map.of(
            "PARTS", Integer.toString(result.parts().size()),
            "KILOBYTES", Long.toString(need >> 10),
            "MEGABYTES", Long.toString(need >> 20)));
  }

  private static String fill(String template, Map<String, String> values) {
    String text = template;
    for (Map.Entry<String, String> value : values.entrySet()) {
      text = text.replace("@" + value.getKey() + "@", value.getValue());
    }
    return text;
  }
}
