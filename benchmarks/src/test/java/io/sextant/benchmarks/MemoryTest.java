package io.sextant.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryTest {

  private static final Pattern PERCENT = Pattern.compile("\"percent\": (-?[0-9.]+)");

  @TempDir Path folder;

  /** In a JVM of its own, whose heap cannot grow. */
  @Test
  @Tag("slow")
  void trainingAndScoringDoNotGrow() throws IOException, InterruptedException {
    Path output = folder.resolve("memory.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms256m",
                "-Xmx256m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                PairedRun.class.getName(),
                "memory",
                "20000",
                "2000")
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int exit = process.waitFor();
    String text = Files.readString(output);
    assertThat(exit).as(text).isZero();
    Matcher percent = PERCENT.matcher(text);
    for (String what : new String[] {"training", "scoring"}) {
      assertThat(percent.find()).as(text).isTrue();
      assertThat(Double.parseDouble(percent.group(1))).as("%s: %s", what, text).isLessThan(3);
    }
  }
}
