package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.EventReader;
import io.sextant.data.EventReaders;
import io.sextant.data.EventSink;
import io.sextant.data.RejectReason;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProgressTest {

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream err = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private long nanos = 5;

  private String shown() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private void seconds(double seconds) {
    nanos += (long) (seconds * 1e9);
  }

  @Test
  void shortWorkSaysNothingInALog() {
    try (Progress progress = new Progress("t", "rows", 0, 10, false, err, () -> nanos)) {
      for (int i = 1; i <= 10; i++) {
        seconds(2.9);
        progress.to(i);
      }
    }
    assertThat(shown()).isEmpty();
  }

  @Test
  void longWorkSaysALineEveryHalfMinuteInALog() {
    try (Progress progress = new Progress("t", "steps", 1000, 21_000, false, err, () -> nanos)) {
      for (int i = 1; i <= 70; i++) {
        seconds(1);
        progress.to(1000 + i * 10);
      }
      progress.line("epoch 1");
    }
    // 10 a second: (21000 - 1300) / 10 s and (21000 - 1600) / 10 s are left.
    assertThat(shown().lines())
        .containsExactly(
            "t: 1300 of 21000 steps, 10/s, 0:32:50 left",
            "t: 1600 of 21000 steps, 10/s, 0:32:20 left",
            "epoch 1");
  }

  @Test
  void whatHasNoEndIsCounted() {
    try (Progress progress = new Progress("reading", "rows", 0, -1, false, err, () -> nanos)) {
      seconds(50);
      progress.to(1_000_000);
    }
    assertThat(shown().lines()).containsExactly("reading: 1000000 rows, 20000/s");
  }

  @Test
  void aTerminalHasABarAndLinesEraseIt() {
    try (Progress progress = new Progress("towers", "steps", 0, 4, true, err, () -> nanos)) {
      progress.to(2);
      progress.line("epoch 1");
      progress.to(4);
    }
    assertThat(shown()).contains("towers", "\r\u001B[Kepoch 1", "100%", "4/4 steps");
  }

  @Test
  void aReaderThatShowsItsRowsGivesTheSame() {
    List<Event> events =
        IntStream.range(0, 5)
            .mapToObj(
                i -> new Event("u" + i, "i", EventType.CLICK, 1, i, InteractionFeatures.UNKNOWN))
            .toList();
    EventReader reader = EventReaders.of("five", events);
    EventReader shown = Progress.whileReading(reader);
    List<Event> read = new ArrayList<>();
    shown.read(
        new EventSink() {
          @Override
          public void accept(long line, Event event) {
            read.add(event);
            assertThat(line).isEqualTo(read.size());
          }

          @Override
          public void reject(long line, RejectReason reason, String detail, String row) {
            throw new AssertionError(detail);
          }
        });
    assertThat(shown.name()).isEqualTo("five");
    assertThat(read).isEqualTo(events);
  }
}
