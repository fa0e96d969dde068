package io.sextant.data;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns rows of text fields into events or rejections; what all readers of columns share.
 *
 * <p>It holds back the first 256 rows to find out how times are written, so {@link #finish} must be
 * called after the last row. Not thread-safe.
 */
public final class EventAssembler {

  private static final int SAMPLE = 256;

  private final EventSink sink;
  private final String name;
  private final boolean hasTime;
  private final boolean hasType;
  private final EventType defaultType;
  private TimeFormat timeFormat;
  private List<HeldRow> held = new ArrayList<>();

  private record HeldRow(long line, List<Optional<String>> fields, Supplier<String> raw) {}

  /**
   * An assembler for one source.
   *
   * @param name what notes call the source
   * @param present the fields for which the source has a column
   */
  public EventAssembler(
      EventSink sink, String name, ColumnMapping mapping, Set<EventField> present) {
    this.sink = sink;
    this.name = name;
    this.hasTime = present.contains(EventField.TIME);
    this.hasType = present.contains(EventField.TYPE);
    EventType type = mapping.defaultType();
    if (type == null) {
      type = present.contains(EventField.VALUE) ? EventType.RATING : EventType.CLICK;
    }
    this.defaultType = type;
    this.timeFormat = mapping.timeFormat();
    if (!hasType) {
      sink.note("%s has no type column: its events are %s".formatted(name, type));
    }
    if (!hasTime) {
      sink.note("%s has no times: the order of its rows stands for them".formatted(name));
      timeFormat = TimeFormat.SECONDS;
    }
  }

  /**
   * One row.
   *
   * @param line where it stands, from 1
   * @param fields ({@link EventField#COUNT}) the texts, each at the slot of its field; null where
   *     the source has no such column or no value; the array is not kept
   * @param raw gives the row as it is in the source, called only if the row is rejected
   */
  public void row(long line, @Nullable String[] fields, Supplier<String> raw) {
    if (timeFormat != TimeFormat.AUTO) {
      assemble(line, fields, raw);
      return;
    }
    List<Optional<String>> copy = new ArrayList<>(fields.length);
    for (String field : fields) {
      copy.add(Optional.ofNullable(field));
    }
    held.add(new HeldRow(line, copy, raw));
    if (held.size() == SAMPLE) {
      release();
    }
  }

  /** A row that is not of the source's form; it keeps its place among the others. */
  public void malformed(long line, String detail, Supplier<String> raw) {
    sink.reject(line, RejectReason.MALFORMED_ROW, detail, raw.get());
  }

  /** To be called after the last row. */
  public void finish() {
    if (timeFormat == TimeFormat.AUTO) {
      release();
    }
  }

  private void release() {
    List<String> times = new ArrayList<>();
    for (HeldRow row : held) {
      row.fields().get(EventField.TIME.slot()).ifPresent(time -> times.add(time.strip()));
    }
    timeFormat = TimeFormat.detect(times);
    sink.note("times of %s are %s".formatted(name, timeFormat.description()));
    List<HeldRow> rows = held;
    held = List.of();
    @Nullable String[] fields = new @Nullable String[EventField.COUNT];
    for (HeldRow row : rows) {
      for (int i = 0; i < fields.length; i++) {
        fields[i] = row.fields().get(i).orElse(null);
      }
      assemble(row.line(), fields, row.raw());
    }
  }

  private void assemble(long line, @Nullable String[] fields, Supplier<String> raw) {
    String user = text(fields, EventField.USER);
    if (user.isEmpty()) {
      sink.reject(line, RejectReason.MISSING_USER, "the user is empty", raw.get());
      return;
    }
    String item = text(fields, EventField.ITEM);
    if (item.isEmpty()) {
      sink.reject(line, RejectReason.MISSING_ITEM, "the item is empty", raw.get());
      return;
    }
    if (user.indexOf('\0') >= 0 || item.indexOf('\0') >= 0) {
      sink.reject(line, RejectReason.MALFORMED_ROW, "there is a NUL character", raw.get());
      return;
    }
    EventType type = defaultType;
    if (hasType) {
      Optional<EventType> parsed = EventType.parse(text(fields, EventField.TYPE));
      if (parsed.isEmpty()) {
        sink.reject(
            line,
            RejectReason.UNKNOWN_TYPE,
            "type '%s' is none of view, click, cart, purchase, rating"
                .formatted(RejectedRow.shorten(text(fields, EventField.TYPE))),
            raw.get());
        return;
      }
      type = parsed.get();
    }
    long time = Event.NO_TIME;
    if (hasTime) {
      String text = text(fields, EventField.TIME);
      time = timeFormat.parse(text);
      if (time == Event.NO_TIME) {
        sink.reject(
            line,
            RejectReason.UNREADABLE_TIME,
            text.isEmpty()
                ? "the time is empty"
                : "time '%s' is not %s"
                    .formatted(RejectedRow.shorten(text), timeFormat.description()),
            raw.get());
        return;
      }
    }
    String valueText = text(fields, EventField.VALUE);
    float value = Float.NaN;
    if (!valueText.isEmpty()) {
      Float parsed = number(valueText);
      if (parsed == null || !Float.isFinite(parsed)) {
        sink.reject(
            line,
            parsed == null ? RejectReason.UNREADABLE_VALUE : RejectReason.NON_FINITE_VALUE,
            "value '%s' is not a finite number".formatted(RejectedRow.shorten(valueText)),
            raw.get());
        return;
      }
      value = parsed;
    }
    InteractionFeatures features = features(line, fields, raw);
    if (features != null) {
      sink.accept(line, new Event(user, item, type, value, time, features));
    }
  }

  /** The circumstances, or null if they are wrong and the row was rejected. */
  private @Nullable InteractionFeatures features(
      long line, @Nullable String[] fields, Supplier<String> raw) {
    String dwellText = text(fields, EventField.DWELL);
    String positionText = text(fields, EventField.POSITION);
    String device = text(fields, EventField.DEVICE);
    String source = text(fields, EventField.SOURCE);
    if (dwellText.isEmpty() && positionText.isEmpty() && device.isEmpty() && source.isEmpty()) {
      return InteractionFeatures.UNKNOWN;
    }
    float dwell = Float.NaN;
    if (!dwellText.isEmpty()) {
      Float parsed = number(dwellText);
      if (parsed == null || Float.isInfinite(parsed) || parsed < 0) {
        sink.reject(
            line,
            RejectReason.INVALID_FEATURE,
            "dwell '%s' is not a number >= 0".formatted(RejectedRow.shorten(dwellText)),
            raw.get());
        return null;
      }
      dwell = parsed;
    }
    int position = -1;
    if (!positionText.isEmpty()) {
      Float parsed = number(positionText);
      if (parsed == null || !(parsed >= 0) || parsed > 1e9f || parsed != Math.rint(parsed)) {
        sink.reject(
            line,
            RejectReason.INVALID_FEATURE,
            "position '%s' is not a whole number >= 0".formatted(RejectedRow.shorten(positionText)),
            raw.get());
        return null;
      }
      position = parsed.intValue();
    }
    return new InteractionFeatures(dwell, position, device, source);
  }

  private static String text(@Nullable String[] fields, EventField field) {
    String text = fields[field.slot()];
    return text == null ? "" : text.strip();
  }

  private static @Nullable Float number(String text) {
    char last = text.charAt(text.length() - 1);
    // parseFloat also reads the Java literals 1f and 1d.
    if ((last == 'f' || last == 'd' || last == 'F' || last == 'D')) {
      return text.equalsIgnoreCase("inf") || text.equalsIgnoreCase("-inf")
          ? Float.POSITIVE_INFINITY
          : null;
    }
    if (text.equalsIgnoreCase("nan")) {
      return Float.NaN;
    }
    if (text.equalsIgnoreCase("infinity") || text.equalsIgnoreCase("-infinity")) {
      return Float.POSITIVE_INFINITY;
    }
    try {
      return Float.parseFloat(text);
    } catch (NumberFormatException e) {
      return null;
    }
  }
}
