package io.sextant.nativeconfig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How many processors there are and how many of them this process may use.
 *
 * @param available what the JVM may use: affinity and container limits are taken off
 * @param physical distinct physical cores among the allowed processors, at most {@code available};
 *     equal to it where the system does not tell (macOS, Windows)
 * @param online processors of the machine, whoever may use them
 */
record Cores(int available, int physical, int online) {

  static Cores detect() {
    return detect(
        Path.of("/sys/devices/system/cpu"),
        Path.of("/proc/self/status"),
        Runtime.getRuntime().availableProcessors());
  }

  static Cores detect(Path cpus, Path status, int available) {
    BitSet online = readList(cpus.resolve("online"));
    BitSet allowed = allowed(status);
    if (allowed.isEmpty()) {
      allowed = online;
    }
    Set<String> siblings = new HashSet<>();
    for (int cpu = allowed.nextSetBit(0); cpu >= 0; cpu = allowed.nextSetBit(cpu + 1)) {
      Path file = cpus.resolve("cpu" + cpu).resolve("topology").resolve("thread_siblings_list");
      siblings.add(read(file, "unknown" + cpu));
    }
    int physical = siblings.isEmpty() ? available : Math.min(siblings.size(), available);
    return new Cores(available, Math.max(1, physical), Math.max(available, online.cardinality()));
  }

  /**
   * The default number of threads: the first number of OMP_NUM_THREADS if the user set it, else one
   * per physical core. Two threads on one core only take each other's multipliers.
   */
  int defaultThreads(OptionalInt ompNumThreads) {
    return ompNumThreads.orElse(physical);
  }

  private static BitSet allowed(Path status) {
    for (String line : read(status, "").split("\n", -1)) {
      if (line.startsWith("Cpus_allowed_list:")) {
        return parseList(line.substring(line.indexOf(':') + 1));
      }
    }
    return new BitSet();
  }

  private static BitSet readList(Path file) {
    return parseList(read(file, ""));
  }

  /** Parses the kernel's notation, {@code 0-3,8,10-11}; whatever is not of it counts as empty. */
  static BitSet parseList(String text) {
    BitSet set = new BitSet();
    try {
      for (String part : text.strip().split(",", -1)) {
        if (!part.isBlank()) {
          int dash = part.indexOf('-');
          int from = Integer.parseInt((dash < 0 ? part : part.substring(0, dash)).strip());
          int to = dash < 0 ? from : Integer.parseInt(part.substring(dash + 1).strip());
          set.set(from, to + 1);
        }
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      return new BitSet();
    }
    return set;
  }

  private static String read(Path file, String otherwise) {
    try {
      return Files.readString(file).strip();
    } catch (IOException | SecurityException e) {
      return otherwise;
    }
  }
}
