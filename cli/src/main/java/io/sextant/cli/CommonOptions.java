package io.sextant.cli;

import ai.djl.Device;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.NativeConfig;
import io.sextant.nativeconfig.NativeRuntime;
import io.sextant.tensor.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What every command that computes takes, and how its result is written. */
final class CommonOptions {

  @Option(names = "--device", description = "auto, cpu, cuda or cuda:N (default: ${DEFAULT-VALUE})")
  private String device = "auto";

  @Option(names = "--seed", description = "seed of every random draw (default: ${DEFAULT-VALUE})")
  private long seed = 1;

  @Option(names = "--threads", description = "threads of libtorch; default: the physical cores")
  private @Nullable Integer threads;

  @Option(names = "--json", description = "write the result to this file as one JSON object")
  private @Nullable Path json;

  private final long startNanos = System.nanoTime();

  long seed() {
    return seed;
  }

  /** Prepares libtorch and finds the device. */
  Device device() {
    NativeConfig config = NativeConfig.fromEnvironment();
    Integer wanted = threads;
    if (wanted != null) {
      config = config.toBuilder().threads(wanted).build();
    }
    if (NativeRuntime.current().isEmpty()) {
      NativeRuntime.prepare(config);
    }
    return Devices.parse(device);
  }

  /**
   * The name of the device of what is computed on the host in any case. Another one that was asked
   * for and is absent is still an error.
   */
  String host() {
    if (!device.equals("auto") && !device.equals("cpu")) {
      device();
    }
    return "cpu";
  }

  /** Writes the result, with the fields that all results have, if a file was asked for. */
  void write(String command, String usedDevice, Map<String, Object> result) {
    Path target = json;
    if (target == null) {
      return;
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("command", command);
    all.put("version", Main.version());
    all.put("commit", System.getProperty("sextant.commit", "unknown"));
    all.put("device", usedDevice);
    all.put("seed", seed);
    all.put("seconds", (System.nanoTime() - startNanos) * 1e-9);
    all.put("peakRssMb", ResidentMemory.peakMb());
    all.putAll(result);
    Path absolute = target.toAbsolutePath();
    // A pipe or /dev/stdout is written to; a file is replaced whole.
    boolean inPlace = Files.exists(absolute) && !Files.isRegularFile(absolute);
    Path written =
        inPlace ? absolute : absolute.resolveSibling("." + absolute.getFileName() + ".tmp");
    try {
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .writeValue(written.toFile(), all);
      if (!inPlace) {
        Files.move(
            written, absolute, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      if (!inPlace) {
        discard(written, e);
      }
      throw new InvalidInputException(
          "the result cannot be written to %s: %s; choose another --json file"
              .formatted(target, e.getMessage()),
          e);
    }
  }

  private static void discard(Path file, IOException because) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      because.addSuppressed(e);
    }
  }
}
