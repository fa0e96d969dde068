package io.sextant.nativeconfig;

import java.util.Arrays;
import java.util.Locale;

/** Which build of libtorch is to be loaded. */
public enum Flavor {
  /** The CPU build from the {@code pytorch-native-cpu} jar of the running platform. */
  CPU,
  /** The build for CUDA 12.8, from a jar, from DJL's cache or from a folder. */
  CU128,
  /** Whatever the given folder holds: a CPU or a CUDA build, found out by looking. */
  LOCAL;

  /** The name that files and variables use: {@code cpu}, {@code cu128}, {@code local}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Flavor parse(String text, String where) {
    for (Flavor flavor : values()) {
      if (flavor.id().equalsIgnoreCase(text.strip())) {
        return flavor;
      }
    }
    throw new NativeConfigException(
        where
            + " must be one of "
            + Arrays.stream(values()).map(Flavor::id).toList()
            + " but was '"
            + text
            + "'");
  }
}
