package io.sextant.data;

import io.sextant.Event;
import java.util.ArrayList;
import java.util.List;

/** Keeps what a reader finds. */
final class RecordingSink implements EventSink {

  record Found(long line, Event event) {}

  record Rejected(long line, RejectReason reason, String detail, String row) {}

  final List<Found> events = new ArrayList<>();
  final List<Rejected> rejected = new ArrayList<>();
  final List<String> notes = new ArrayList<>();

  @Override
  public void accept(long line, Event event) {
    events.add(new Found(line, event));
  }

  @Override
  public void reject(long line, RejectReason reason, String detail, String row) {
    rejected.add(new Rejected(line, reason, detail, row));
  }

  @Override
  public void note(String text) {
    notes.add(text);
  }

  List<RejectReason> reasons() {
    return rejected.stream().map(Rejected::reason).toList();
  }

  /** user>item@time, one text for each event. */
  List<String> brief() {
    return events.stream()
        .map(
            found ->
                found.event().userId()
                    + ">"
                    + found.event().itemId()
                    + (found.event().timeMillis() == Event.NO_TIME
                        ? ""
                        : "@" + found.event().timeMillis()))
        .toList();
  }
}
