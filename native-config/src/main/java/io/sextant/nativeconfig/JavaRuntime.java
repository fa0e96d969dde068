package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleFinder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;

/**
 * A Java runtime to take along: linked from the running JDK with the modules that an application on
 * the class path may ask for, or the running one as it is where it cannot link.
 *
 * @param folder what to take
 * @param description what it is, for people
 */
record JavaRuntime(Path folder, String description) {

  /**
   * Beside all of java.*: the HTTP server, Unsafe, zip file systems, JFR, elliptic curves, SIMD.
   */
  private static final Set<String> JDK_MODULES =
      Set.of(
          "jdk.httpserver",
          "jdk.unsupported",
          "jdk.zipfs",
          "jdk.jfr",
          "jdk.management",
          "jdk.crypto.ec",
          "jdk.net",
          "jdk.charsets",
          "jdk.incubator.vector");

  static JavaRuntime link(Path target) throws IOException {
    Path home = Path.of(System.getProperty("java.home")).toRealPath();
    String version = System.getProperty("java.vendor") + " " + Runtime.version();
    Optional<ToolProvider> jlink = ToolProvider.findFirst("jlink");
    if (jlink.isPresent()) {
      StringWriter said = new StringWriter();
      PrintWriter to = new PrintWriter(said);
      if (jlink.get().run(to, to, arguments(target)) == 0) {
        return new JavaRuntime(target, "linked from " + version);
      }
      Folders.delete(target);
    }
    return new JavaRuntime(home, "a copy of " + version);
  }

  private static String[] arguments(Path target) {
    String modules =
        ModuleFinder.ofSystem().findAll().stream()
            .map(m -> m.descriptor().name())
            .filter(name -> name.startsWith("java.") || JDK_MODULES.contains(name))
            .sorted()
            .collect(Collectors.joining(","));
    List<String> arguments =
        new ArrayList<>(List.of("--add-modules", modules, "--no-header-files", "--no-man-pages"));
    arguments.add("--compress");
    arguments.add(Runtime.version().feature() < 21 ? "2" : "zip-6");
    arguments.add("--output");
    arguments.add(target.toString());
    return arguments.toArray(String[]::new);
  }
}
