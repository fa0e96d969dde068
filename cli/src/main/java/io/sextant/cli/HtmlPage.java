package io.sextant.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * One self-contained page: well-formed, without scripts and without anything that is fetched. Texts
 * are escaped. Not thread-safe.
 */
final class HtmlPage {

  private static final String STYLE =
      """
      body { font: 15px/1.5 system-ui, sans-serif; color: #1d2733; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
      h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #d5dbe3 }
      table { border-collapse: collapse; margin: .6rem 0 } th, td { padding: .15rem .8rem .15rem 0; text-align: right }
      th:first-child, td:first-child { text-align: left } th { color: #5a6878; font-weight: 600 }
      pre { background: #f4f6f9; padding: .8rem; overflow-x: auto } svg { display: block; margin: .6rem 0 }
      .note { color: #5a6878 } .warning { color: #a33a00 }
      """;

  private static final int LABELS = 270;
  private static final int WIDTH = 740;
  private static final int ROW = 20;
  private static final int HEIGHT = 180;

  private final StringBuilder body = new StringBuilder();
  private final String title;

  HtmlPage(String title) {
    this.title = title;
    body.append("<h1>").append(escaped(title)).append("</h1>\n");
  }

  HtmlPage section(String name) {
    body.append("<h2>").append(escaped(name)).append("</h2>\n");
    return this;
  }

  HtmlPage paragraph(String text) {
    return tagged("p", "", text);
  }

  HtmlPage note(String text) {
    return tagged("p", " class=\"note\"", text);
  }

  HtmlPage warning(String text) {
    return tagged("p", " class=\"warning\"", text);
  }

  HtmlPage preformatted(String text) {
    return tagged("pre", "", text);
  }

  private HtmlPage tagged(String tag, String attributes, String text) {
    body.append('<').append(tag).append(attributes).append('>');
    body.append(escaped(text)).append("</").append(tag).append(">\n");
    return this;
  }

  /** A table whose first column holds names and the others figures. */
  HtmlPage table(List<String> header, List<List<String>> rows) {
    body.append("<table>\n");
    row("th", header);
    rows.forEach(cells -> row("td", cells));
    body.append("</table>\n");
    return this;
  }

  private void row(String tag, List<String> cells) {
    body.append("<tr>");
    for (String cell : cells) {
      body.append('<').append(tag).append('>').append(escaped(cell));
      body.append("</").append(tag).append('>');
    }
    body.append("</tr>\n");
  }

  /** A bar. */
  record Bar(String label, double value) {}

  /** Horizontal bars from zero; values below it go to the left. */
  HtmlPage bars(List<Bar> bars) {
    double least = Math.min(0, bars.stream().mapToDouble(Bar::value).min().orElse(0));
    double most = Math.max(0, bars.stream().mapToDouble(Bar::value).max().orElse(0));
    double scale = most > least ? (WIDTH - LABELS - 70) / (most - least) : 0;
    double zero = LABELS - least * scale;
    svg(WIDTH, bars.size() * ROW + 4);
    for (int i = 0; i < bars.size(); i++) {
      Bar bar = bars.get(i);
      double from = zero + Math.min(0, bar.value()) * scale;
      double length = Math.abs(bar.value()) * scale;
      int y = i * ROW;
      text(0, y + 14, bar.label(), "start");
      append(
          "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"14\" fill=\"%s\"/>",
          from, y + 3, length, bar.value() < 0 ? "#c0653a" : "#3a78c0");
      text(Math.max(from + length, zero) + 4, y + 14, number(bar.value()), "start");
    }
    return endSvg();
  }

  /** A line over 1, 2, 3, ... with its least and greatest value. */
  HtmlPage line(String label, List<Double> values) {
    double[] finite = values.stream().mapToDouble(d -> d).filter(Double::isFinite).toArray();
    if (finite.length < 2) {
      return this;
    }
    double least = Arrays.stream(finite).min().orElse(0);
    double most = Arrays.stream(finite).max().orElse(1);
    svg(WIDTH, HEIGHT + 20);
    text(0, 14, label + ": " + number(least) + " to " + number(most), "start");
    StringBuilder points = new StringBuilder();
    for (int i = 0; i < values.size(); i++) {
      if (Double.isFinite(values.get(i))) {
        double x = 4 + (WIDTH - 8.0) * i / (values.size() - 1);
        double share = most > least ? (values.get(i) - least) / (most - least) : 0.5;
        points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, 24 + (HEIGHT - 8) * (1 - share)));
      }
    }
    append(
        "<polyline points=\"%s\" fill=\"none\" stroke=\"#3a78c0\" stroke-width=\"2\"/>",
        points.toString().strip());
    return endSvg();
  }

  /** A point with a text that shows when it is pointed at. */
  record Point(double x, double y, String hint) {}

  /** Points over a logarithmic axis. */
  HtmlPage points(String xLabel, String yLabel, List<Point> points) {
    double left = points.stream().mapToDouble(HtmlPage::logX).min().orElse(0);
    double right = points.stream().mapToDouble(HtmlPage::logX).max().orElse(1);
    double least = points.stream().mapToDouble(Point::y).min().orElse(0);
    double most = points.stream().mapToDouble(Point::y).max().orElse(1);
    svg(WIDTH, HEIGHT + 50);
    text(0, 14, yLabel + ": " + number(least) + " to " + number(most), "start");
    text(WIDTH, HEIGHT + 44, xLabel + ", logarithmic", "end");
    for (Point point : points) {
      double x = 8 + (WIDTH - 16) * share(logX(point), left, right);
      double y = 26 + (HEIGHT - 8) * (1 - share(point.y(), least, most));
      append(
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#3a78c0\"><title>%s</title></circle>",
          x, y, escaped(point.hint()));
    }
    return endSvg();
  }

  private static double logX(Point point) {
    return Math.log(Math.max(point.x(), 1e-3));
  }

  private static double share(double value, double least, double most) {
    return most > least ? (value - least) / (most - least) : 0.5;
  }

  private void svg(int width, int height) {
    append(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-size=\"13\" role=\"img\">",
        width, height);
  }

  private HtmlPage endSvg() {
    body.append("</svg>\n");
    return this;
  }

  private void text(double x, double y, String text, String anchor) {
    append(
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"#1d2733\">%s</text>",
        x, y, anchor, escaped(text));
  }

  private void append(String template, Object... values) {
    body.append(String.format(Locale.ROOT, template, values)).append('\n');
  }

  /** Four digits that count. */
  static String number(double value) {
    if (!Double.isFinite(value)) {
      return "-";
    }
    return String.format(Locale.ROOT, Math.abs(value) >= 1000 ? "%,.0f" : "%.4g", value);
  }

  String html() {
    return """
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"/><title>%s</title><style>
        %s</style></head>
        <body>
        %s</body>
        </html>
        """
        .formatted(escaped(title), STYLE, body);
  }

  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                default -> {
                  // What XML 1.0 cannot hold is shown as a replacement character.
                  boolean allowed =
                      c == '\n' || c == '\t' || c >= 0x20 && c != 0xFFFE && c != 0xFFFF;
                  boolean half = c >= 0xD800 && c <= 0xDFFF;
                  escaped.appendCodePoint(allowed && !half ? c : 0xFFFD);
                }
              }
            });
    return escaped.toString();
  }
}
