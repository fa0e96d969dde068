package io.sextant.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * Two JMH runs beside each other, or two values of a parameter in one run: how many times as fast
 * the second is, benchmark by benchmark, as text, as a page and as a picture.
 *
 * <p>A ratio is one of means over iterations of all forks; its interval holds 95 % of 2,000 draws
 * in which the iterations of each side are drawn anew with replacement. Runs that did not take
 * turns differ by more than that when the machine's load does.
 */
public final class CompareRuns {

  private static final String USAGE =
      """
      usage: benchmarks/compare FIRST SECOND [--out FOLDER]
             benchmarks/compare RUN --by PARAMETER FIRST SECOND [--out FOLDER]
      FIRST, SECOND and RUN are result folders of benchmarks/run, or JMH's JSON files.
      With --by, two values of a parameter are compared, as --by device cpu cuda.""";

  private static final int DRAWS = 2000;
  private static final int ROW = 28;
  private static final int LEFT = 520;
  private static final int WIDTH = 1000;

  private CompareRuns() {}

  /** What one benchmark measured with one set of parameters. */
  private record Measured(double[] values, boolean higherIsBetter, String unit) {}

  /**
   * A line of the comparison.
   *
   * @param ratio how many times as fast the second is; above 1 it is faster
   */
  record Ratio(String name, double ratio, double low, double high, String unit) {}

  /** Compares. */
  public static void main(String[] args) {
    List<String> places = new ArrayList<>();
    String parameter = null;
    Path out = null;
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("--by") && i + 1 < args.length) {
        parameter = args[++i];
      } else if (args[i].equals("--out") && i + 1 < args.length) {
        out = Path.of(args[++i]);
      } else if (args[i].startsWith("--")) {
        throw new IllegalArgumentException(args[i] + " is not known\n" + USAGE);
      } else {
        places.add(args[i]);
      }
    }
    if (places.size() != (parameter == null ? 2 : 3)) {
      throw new IllegalArgumentException(USAGE);
    }
    List<Ratio> ratios;
    String title;
    if (parameter == null) {
      ratios =
          ratios(read(Path.of(places.get(0)), null, ""), read(Path.of(places.get(1)), null, ""));
      title = "%s to %s".formatted(name(places.get(1)), name(places.get(0)));
    } else {
      Path run = Path.of(places.get(0));
      ratios = ratios(read(run, parameter, places.get(1)), read(run, parameter, places.get(2)));
      title = "%s: %s to %s".formatted(parameter, places.get(2), places.get(1));
    }
    System.out.print(text(title, ratios));
    if (out != null) {
      write(out, title, ratios);
    }
  }

  private static String name(String place) {
    return String.valueOf(Path.of(place).toAbsolutePath().normalize().getFileName());
  }

  /**
   * Reads a run.
   *
   * @param parameter keep those with this value of it, and leave it out of their names; null for
   *     all
   */
  private static Map<String, Measured> read(Path place, @Nullable String parameter, String value) {
    Path file = Files.isDirectory(place) ? place.resolve("results.json") : place;
    JsonNode all;
    try {
      all = new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "%s is no result of JMH: %s\n%s".formatted(file, e.getMessage(), USAGE), e);
    }
    Map<String, Measured> measured = new TreeMap<>();
    for (JsonNode one : all) {
      Map<String, String> parameters = new LinkedHashMap<>();
      one.path("params")
          .properties()
          .forEach(p -> parameters.put(p.getKey(), p.getValue().asText()));
      if (parameter != null && !value.equals(parameters.remove(parameter))) {
        continue;
      }
      String benchmark = one.path("benchmark").asText().replaceAll(".*\\.(\\w+\\.\\w+)$", "$1");
      // A counter, where there is one, says what a benchmark is about.
      JsonNode metric = one.path("primaryMetric");
      boolean higherIsBetter = one.path("mode").asText().equals("thrpt");
      for (Map.Entry<String, JsonNode> counter : one.path("secondaryMetrics").properties()) {
        benchmark += ":" + counter.getKey();
        metric = counter.getValue();
        higherIsBetter = true;
      }
      List<Double> values = new ArrayList<>();
      metric.path("rawData").forEach(fork -> fork.forEach(v -> values.add(v.asDouble())));
      measured.put(
          benchmark + " " + parameters,
          new Measured(
              values.stream().mapToDouble(Double::doubleValue).toArray(),
              higherIsBetter,
              metric.path("scoreUnit").asText()));
    }
    if (measured.isEmpty()) {
      throw new IllegalArgumentException(
          parameter == null
              ? file + " holds no result"
              : "%s holds no result with %s=%s".formatted(file, parameter, value));
    }
    return measured;
  }

  private static List<Ratio> ratios(Map<String, Measured> first, Map<String, Measured> second) {
    List<Ratio> ratios = new ArrayList<>();
    for (Map.Entry<String, Measured> entry : first.entrySet()) {
      Measured other = second.get(entry.getKey());
      if (other != null) {
        ratios.add(ratio(entry.getKey(), entry.getValue(), other));
      }
    }
    if (ratios.isEmpty()) {
      throw new IllegalArgumentException(
          "no benchmark is in both: %s and %s".formatted(first.keySet(), second.keySet()));
    }
    return ratios;
  }

  private static Ratio ratio(String name, Measured first, Measured second) {
    Random random = new Random(1);
    double[] drawn = new double[DRAWS];
    for (int draw = 0; draw < DRAWS; draw++) {
      drawn[draw] =
          speedup(resampled(first.values, random), resampled(second.values, random), first);
    }
    java.util.Arrays.sort(drawn);
    return new Ratio(
        name,
        speedup(mean(first.values), mean(second.values), first),
        drawn[(int) (0.025 * DRAWS)],
        drawn[(int) (0.975 * DRAWS) - 1],
        first.unit);
  }

  private static double speedup(double first, double second, Measured how) {
    return how.higherIsBetter ? second / first : first / second;
  }

  private static double resampled(double[] values, Random random) {
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += values[random.nextInt(values.length)];
    }
    return sum / values.length;
  }

  private static double mean(double[] values) {
    return java.util.Arrays.stream(values).average().orElse(Double.NaN);
  }

  private static String text(String title, List<Ratio> ratios) {
    StringBuilder text = new StringBuilder("times as fast, " + title + "\n");
    for (Ratio r : ratios) {
      text.append(
          String.format(Locale.ROOT, "%8.3f  [%.3f, %.3f]  %s%n", r.ratio, r.low, r.high, r.name));
    }
    return text.toString();
  }

  private static void write(Path folder, String title, List<Ratio> ratios) {
    try {
      Files.createDirectories(folder);
      ImageIO.write(picture(title, ratios), "png", folder.resolve("compare.png").toFile());
      Files.writeString(folder.resolve("compare.html"), page(title, ratios));
      Files.writeString(folder.resolve("compare.txt"), text(title, ratios));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A bar for each ratio on a logarithmic scale, from the line at 1 on, with its interval. */
  private static BufferedImage picture(String title, List<Ratio> ratios) {
    int height = (ratios.size() + 2) * ROW;
    BufferedImage image = new BufferedImage(WIDTH, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, WIDTH, height);
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    g.setColor(Color.BLACK);
    g.drawString("times as fast, " + title, 10, 18);
    double span = span(ratios);
    int one = x(1, span);
    for (int i = 0; i < ratios.size(); i++) {
      Ratio r = ratios.get(i);
      int y = (i + 1) * ROW;
      int x = x(r.ratio, span);
      g.setColor(r.ratio >= 1 ? new Color(0x2a7f62) : new Color(0xb5483a));
      g.fillRect(Math.min(one, x), y + 6, Math.max(1, Math.abs(x - one)), ROW - 12);
      g.setColor(Color.DARK_GRAY);
      g.drawLine(x(r.low, span), y + ROW / 2, x(r.high, span), y + ROW / 2);
      g.drawString(String.format(Locale.ROOT, "%.2f  %s", r.ratio, r.name), 10, y + ROW / 2 + 5);
    }
    g.setColor(Color.GRAY);
    g.drawLine(one, ROW, one, height - ROW);
    g.drawString("1", one - 3, height - 8);
    g.dispose();
    return image;
  }

  /** How far the scale reaches to both sides of 1. */
  private static double span(List<Ratio> ratios) {
    double span = 1.25;
    for (Ratio r : ratios) {
      span = Math.max(span, Math.max(r.high, 1 / r.low));
    }
    return span;
  }

  private static int x(double ratio, double span) {
    double share = (Math.log(ratio) / Math.log(span) + 1) / 2;
    return LEFT + (int) Math.round(share * (WIDTH - LEFT - 20));
  }

  private static String page(String title, List<Ratio> ratios) {
    StringBuilder rows = new StringBuilder();
    for (Ratio r : ratios) {
      rows.append(
          String.format(
              Locale.ROOT,
              "<tr><td>%s</td><td>%.3f</td><td>%.3f</td><td>%.3f</td><td>%s</td></tr>%n",
              escaped(r.name),
              r.ratio,
              r.low,
              r.high,
              escaped(r.unit)));
    }
    return """
        <!doctype html>
        <html lang="en"><meta charset="utf-8"><title>%1$s</title>
        <style>body{font-family:sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:left}</style>
        <h1>Times as fast, %1$s</h1>
        <img src="compare.png" alt="the ratios as bars">
        <table><tr><th>benchmark</th><th>ratio</th><th>from</th><th>to</th><th>unit</th></tr>
        %2$s</table>
        <p>Intervals: 95 %% of 2,000 draws of the iterations.</p>
        </html>
        """
        .formatted(escaped(title), rows);
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
