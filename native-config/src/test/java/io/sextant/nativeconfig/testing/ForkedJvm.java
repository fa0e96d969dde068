package io.sextant.nativeconfig.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a JVM of its own, with an environment of its own. */
public final class ForkedJvm {

  /** What it printed (both streams together) and how it ended. */
  public record Result(int exit, String output) {}

  private ForkedJvm() {}

  /**
   * Runs and waits, two minutes at most.
   *
   * @param main the class with the main method
   * @param environment variables that are added to a clean environment: none of this process's own
   *     OMP_, MALLOC_, DJL_, PYTORCH_ and SEXTANT_ variables reaches the child
   * @param jvmFlags flags of the java command
   */
  public static Result run(Class<?> main, Map<String, String> environment, String... jvmFlags) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of(jvmFlags));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    try {
      Path output = Files.createTempFile("forked", ".txt");
      try {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(ForkedJvm::ours);
        builder.environment().putAll(environment);
        Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new IllegalStateException("hangs: " + Files.readString(output));
        }
        String text = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
        return new Result(process.exitValue(), text);
      } finally {
        Files.deleteIfExists(output);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static boolean ours(String name) {
    return name.startsWith("OMP_")
        || name.startsWith("MALLOC_")
        || name.startsWith("DJL_")
        || name.startsWith("PYTORCH_")
        || name.startsWith("OPT_OUT_")
        || (name.startsWith("SEXTANT_") && !name.equals("SEXTANT_DATA"))
        || name.equals("JAVA_TOOL_OPTIONS");
  }
}
