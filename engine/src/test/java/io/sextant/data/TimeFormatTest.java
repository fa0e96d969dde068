package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.Event;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimeFormatTest {

  @ParameterizedTest
  @CsvSource({
    "SECONDS, 881250949, 881250949000",
    "SECONDS, 881250949.5, 881250949500",
    "SECONDS, 8.8e8, 880000000000",
    "SECONDS, -1, -1000",
    "SECONDS, 0, 0",
    "MILLISECONDS, 1659304800025, 1659304800025",
    "MICROSECONDS, 1659304800025999, 1659304800025",
    "MICROSECONDS, -1, -1",
    "ISO_8601, 1970-01-01, 0",
    "ISO_8601, 1970-01-02T00:00:01, 86401000",
    "ISO_8601, 1970-01-02 00:00, 86400000",
    "ISO_8601, 1970-01-01T02:00:00.5+02:00, 500",
    "ISO_8601, 1970-01-01T00:00:00Z, 0",
    "ISO_8601, 1970-01-01 00:00:01 UTC, 1000",
    "ISO_8601, 1969-12-31T23:59:59Z, -1000",
  })
  void reads(TimeFormat format, String text, long millis) {
    assertThat(format.parse(text)).isEqualTo(millis);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "x", "NaN", "Infinity", "1e999", "12f", "0x10", "1970-13-01", "-"})
  void whatIsNoTimeIsNoTime(String text) {
    for (TimeFormat format : TimeFormat.values()) {
      if (format != TimeFormat.AUTO) {
        assertThat(format.parse(text)).as("%s", format).isEqualTo(Event.NO_TIME);
      }
    }
  }

  @Test
  void aNumberBeyondAllTimesStaysBeyondThem() {
    assertThat(TimeFormat.SECONDS.parse("1e300")).isEqualTo(Long.MAX_VALUE);
    assertThat(TimeFormat.SECONDS.parse("-1e300")).isNegative().isNotEqualTo(Event.NO_TIME);
    assertThat(TimeFormat.ISO_8601.parse("+999999999-01-01")).isEqualTo(Event.NO_TIME);
  }

  @Test
  void detectsTheUnitOfMost() {
    assertThat(TimeFormat.detect(List.of("0", "-1", "1365029107"))).isEqualTo(TimeFormat.SECONDS);
    assertThat(TimeFormat.detect(List.of("0", "0", "1365029107000")))
        .isEqualTo(TimeFormat.MILLISECONDS);
    assertThat(TimeFormat.detect(List.of("1365029107000000"))).isEqualTo(TimeFormat.MICROSECONDS);
    assertThat(TimeFormat.detect(List.of("2020-01-01", "x", ""))).isEqualTo(TimeFormat.ISO_8601);
    assertThat(TimeFormat.detect(List.of("1365029107", "2020-01-01", "2020-01-02")))
        .isEqualTo(TimeFormat.ISO_8601);
    assertThat(TimeFormat.detect(List.of())).isEqualTo(TimeFormat.SECONDS);
    assertThat(TimeFormat.detect(List.of("3", "4"))).isEqualTo(TimeFormat.SECONDS);
  }
}
