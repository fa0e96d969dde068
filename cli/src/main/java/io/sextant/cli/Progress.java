package io.sextant.cli;

import io.sextant.Event;
import io.sextant.data.EventReader;
import io.sextant.data.EventSink;
import io.sextant.data.RejectReason;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Shows on stderr how far long work is: a bar with rate and time left on a terminal; elsewhere, as
 * in a log, a plain line every half minute, so short work says nothing. Not thread-safe.
 */
final class Progress implements AutoCloseable {

  /** Set by the launcher: Java itself cannot tell whether stderr alone is a terminal. */
  static final String TERMINAL = "sextant.terminal";

  private static final long UNKNOWN = -1;
  private static final long LINE_NANOS = Duration.ofSeconds(30).toNanos();
  private static final int BAR_WIDTH = 79;

  private final String task;
  private final String unit;
  private final long total;
  private final long start;
  private final PrintStream err;
  private final LongSupplier clock;
  private final long startNanos;
  private final @Nullable ProgressBar bar;
  private long nextLineNanos;

  /**
   * Begins to show work.
   *
   * @param unit of what is counted, in the plural
   * @param start how much of it was done before
   * @param total how much it will be
   */
  Progress(String task, String unit, long start, long total) {
    this(task, unit, start, total, Boolean.getBoolean(TERMINAL), System.err, System::nanoTime);
  }

  Progress(
      String task,
      String unit,
      long start,
      long total,
      boolean terminal,
      PrintStream err,
      LongSupplier clock) {
    this.task = task;
    this.unit = unit;
    this.start = start;
    this.total = total;
    this.err = err;
    this.clock = clock;
    startNanos = clock.getAsLong();
    nextLineNanos = startNanos + LINE_NANOS;
    bar = terminal ? bar() : null;
  }

  private ProgressBar bar() {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .startsFrom(start, Duration.ZERO)
        .setInitialMax(total)
        .setUnit(" " + unit, 1)
        .showSpeed()
        .setUpdateIntervalMillis(500)
        .setConsumer(new ConsoleProgressBarConsumer(err, BAR_WIDTH))
        .build();
  }

  /** A reader that shows how many rows it has read. */
  static EventReader whileReading(EventReader reader) {
    return new EventReader() {
      @Override
      public String name() {
        return reader.name();
      }

      @Override
      public void read(EventSink sink) {
        try (Progress progress = new Progress("reading", "rows", 0, UNKNOWN)) {
          reader.read(counting(sink, progress));
        }
      }
    };
  }

  private static EventSink counting(EventSink sink, Progress progress) {
    return new EventSink() {
      private long rows;

      @Override
      public void accept(long line, Event event) {
        progress.to(++rows);
        sink.accept(line, event);
      }

      @Override
      public void reject(long line, RejectReason reason, String detail, String row) {
        progress.to(++rows);
        sink.reject(line, reason, detail, row);
      }

      @Override
      public void note(String text) {
        sink.note(text);
      }
    };
  }

  /** So much is done now. */
  void to(long done) {
    ProgressBar shown = bar;
    if (shown != null) {
      shown.stepTo(done);
      return;
    }
    long now = clock.getAsLong();
    if (now < nextLineNanos) {
      return;
    }
    nextLineNanos = now + LINE_NANOS;
    double seconds = (now - startNanos) * 1e-9;
    double rate = (done - start) / seconds;
    err.printf(Locale.ROOT, "%s: %d%s %s, %.0f/s", task, done, of(), unit, rate);
    if (total != UNKNOWN && rate > 0) {
      err.printf(Locale.ROOT, ", %s left", text((total - done) / rate));
    }
    err.println();
  }

  private String of() {
    return total == UNKNOWN ? "" : " of " + total;
  }

  private static String text(double seconds) {
    long whole = Math.max(0, Math.round(seconds));
    return String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
  }

  /** A line for the user, above the bar if there is one. */
  void line(String text) {
    if (bar != null) {
      // The bar stands on the last line: return to its start and erase it.
      err.print("\r\u001B[K");
    }
    err.println(text);
  }

  @Override
  public void close() {
    ProgressBar shown = bar;
    if (shown != null) {
      shown.close();
    }
  }
}
