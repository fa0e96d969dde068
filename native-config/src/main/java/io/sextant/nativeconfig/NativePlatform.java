package io.sextant.nativeconfig;

import java.util.Locale;
import java.util.Set;

/** Names of platforms as the jars with native files use them. */
final class NativePlatform {

  /** The platforms for which a CPU libtorch 2.7.1 is on the public Maven repository. */
  static final Set<String> WITH_CPU_JAR =
      Set.of("linux-x86_64", "linux-aarch64", "osx-aarch64", "win-x86_64");

  private NativePlatform() {}

  /** The classifier of the running platform: {@code linux-x86_64}. */
  static String classifier() {
    return classifier(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  static String classifier(String osName, String osArch) {
    String name = osName.toLowerCase(Locale.ROOT);
    String os =
        name.startsWith("win")
            ? "win"
            : name.startsWith("mac") ? "osx" : name.replaceAll("[^a-z0-9]", "");
    return os + "-" + (osArch.equals("amd64") ? "x86_64" : osArch);
  }
}
