package io.sextant.data;

import java.util.List;
import java.util.Map;

/**
 * What a cleaning run did. {@code rowsRead} is {@code rowsKept} and all of {@code rejected}.
 *
 * <p>Thread safety: immutable.
 *
 * @param rowsRead events and rejected rows of all sources
 * @param rowsKept events that became interactions
 * @param numUsers users that are left
 * @param numItems items that are left
 * @param rejected how many rows each reason removed; reasons that removed none are not there
 * @param examples the first rows that each reason removed
 * @param notes what else is to be known: how times are written, what was assumed
 */
public record CleaningReport(
    long rowsRead,
    long rowsKept,
    int numUsers,
    int numItems,
    Map<RejectReason, Long> rejected,
    List<RejectedRow> examples,
    List<String> notes) {

  public CleaningReport {
    rejected = Map.copyOf(rejected);
    examples = List.copyOf(examples);
    notes = List.copyOf(notes);
  }

  /** How many rows were removed. */
  public long rowsRejected() {
    return rowsRead - rowsKept;
  }

  /** How many rows a reason removed. */
  public long rejected(RejectReason reason) {
    return rejected.getOrDefault(reason, 0L);
  }

  /** The report as lines of text. */
  public String summary() {
    StringBuilder text =
        new StringBuilder(
            "%d of %d rows kept: %d users, %d items%n"
                .formatted(rowsKept, rowsRead, numUsers, numItems));
    for (RejectReason reason : RejectReason.values()) {
      if (rejected(reason) > 0) {
        text.append(
            "  %d rejected: %s (%s)%n".formatted(rejected(reason), reason.description(), reason));
        for (RejectedRow example : examples) {
          if (example.reason() == reason) {
            text.append("    ").append(example).append(System.lineSeparator());
          }
        }
      }
    }
    for (String note : notes) {
      text.append("  ").append(note).append(System.lineSeparator());
    }
    return text.toString();
  }
}
