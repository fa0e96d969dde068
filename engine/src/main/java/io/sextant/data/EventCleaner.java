package io.sextant.data;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns sources of events into interactions: what is impossible is rejected, what is there twice or
 * does not come from people is removed, everything removed is counted.
 *
 * <p>The order: rows that cannot be right (malformed, impossible time, value not finite, rating too
 * low) while reading; then duplicates, bots, k-core, normalisation; last the ids, in the order of
 * their first row that was read, without those that have no row left.
 *
 * <p>Reading streams into primitive columns (about 25 bytes a row); no list of events is held. Time
 * O(rows log(rows of the busiest user)). Thread safety: immutable, a run belongs to its caller.
 */
public final class EventCleaner {

  /** The parts of a split that is given by files. */
  private static final int TRAIN = 0;

  private static final int VALIDATION = 1;
  private static final int TEST = 2;

  private final CleaningOptions options;

  public EventCleaner(CleaningOptions options) {
    this.options = options;
  }

  /**
   * Cleans one source.
   *
   * @throws InvalidInputException if it cannot be read, or if nothing is left of it; the message
   *     says why
   */
  public CleaningResult clean(EventReader source) {
    return clean(List.of(source));
  }

  /** Cleans several sources into one data set, in this order. */
  public CleaningResult clean(List<EventReader> sources) {
    if (sources.isEmpty()) {
      throw new InvalidInputException("there is no source to clean: name at least one");
    }
    try (Run run = new Run(options)) {
      for (EventReader source : sources) {
        run.read(source, TRAIN);
      }
      run.clean();
      return new CleaningResult(run.interactions(TRAIN), run.finish());
    }
  }

  /**
   * Cleans the files of a given split into parts that share their ids. Duplicates are looked for
   * within each part; bots and the k-core over all parts together.
   *
   * <p>Leaks: whatever the makers of the files let through; that the parts share ids says only
   * which users and items there are.
   *
   * @param validation null if the files have no such part; the part is empty then
   */
  public GivenSplit cleanSplit(
      EventReader train, @Nullable EventReader validation, EventReader test) {
    try (Run run = new Run(options)) {
      run.read(train, TRAIN);
      if (validation != null) {
        run.read(validation, VALIDATION);
      }
      run.read(test, TEST);
      run.clean();
      Split split =
          new Split(run.interactions(TRAIN), run.interactions(VALIDATION), run.interactions(TEST));
      return new GivenSplit(split, run.finish());
    }
  }

  /**
   * A split that was given by files, cleaned.
   *
   * @param split the parts
   * @param report what was removed from all of them
   */
  public record GivenSplit(Split split, CleaningReport report) {}

  /** One run: its columns grow while sources are read, then rows lose their life bit by bit. */
  private static final class Run implements AutoCloseable {

    private final CleaningOptions options;
    private final RejectLog rejects;
    private final List<String> notes = new ArrayList<>();
    private final List<String> sources = new ArrayList<>();
    private final List<Integer> parts = new ArrayList<>();
    private final List<Integer> ends = new ArrayList<>();
    private final IdIndex.Builder userIds = IdIndex.builder();
    private final IdIndex.Builder itemIds = IdIndex.builder();
    private final RowColumns columns = new RowColumns();
    private int[] lines = new int[16];
    private final BitSet gone = new BitSet();
    private int[] offsets = new int[0];
    private int[] ordered = new int[0];
    private IdIndex users = IdIndex.empty();
    private IdIndex items = IdIndex.empty();
    private int[] newUser = new int[0];
    private int[] newItem = new int[0];

    Run(CleaningOptions options) {
      this.options = options;
      this.rejects = new RejectLog(options.examplesPerReason(), options.rejectedFile());
    }

    void read(EventReader source, int part) {
      sources.add(source.name());
      parts.add(part);
      source.read(
          new EventSink() {
            @Override
            public void accept(long line, Event event) {
              add(source.name(), line, event);
            }

            @Override
            public void reject(long line, RejectReason reason, String detail, String row) {
              rejects.add(new RejectedRow(source.name(), line, reason, detail, row));
            }

            @Override
            public void note(String text) {
              notes.add(text);
            }
          });
      ends.add(columns.size());
    }

    private void add(String source, long line, Event event) {
      RejectReason reason = null;
      String detail = "";
      long time = event.timeMillis();
      if (time != Event.NO_TIME && time < options.earliestMillis()) {
        reason = RejectReason.TIME_TOO_EARLY;
        detail =
            "%d ms is before the earliest time, %d ms".formatted(time, options.earliestMillis());
      } else if (time > options.latestMillis()) {
        reason = RejectReason.TIME_IN_FUTURE;
        detail = "%d ms is after the latest time, %d ms".formatted(time, options.latestMillis());
      } else if (Float.isInfinite(event.value())) {
        reason = RejectReason.NON_FINITE_VALUE;
        detail = "the value is infinite";
      } else if (event.type() == EventType.RATING && event.value() < options.minRating()) {
        reason = RejectReason.VALUE_TOO_LOW;
        detail = "rating %s is below %s".formatted(event.value(), options.minRating());
      } else if (!IdIndex.isEncodable(event.userId()) || !IdIndex.isEncodable(event.itemId())) {
        reason = RejectReason.MALFORMED_ROW;
        detail = "an id is not valid Unicode";
      }
      if (reason != null) {
        String row =
            "%s,%s,%s,%s".formatted(event.userId(), event.itemId(), event.type(), timeText(time));
        rejects.add(new RejectedRow(source, line, reason, detail, row));
        return;
      }
      if (columns.size() == lines.length) {
        lines = Arrays.copyOf(lines, (int) Math.min(Integer.MAX_VALUE - 8, lines.length * 2L));
      }
      lines[columns.size()] = (int) Math.min(Integer.MAX_VALUE, line);
      columns.add(
          userIds.add(event.userId()),
          itemIds.add(event.itemId()),
          event.type(),
          event.value(),
          1f,
          time,
          event.features());
    }

    void clean() {
      offsets = columns.userOffsets(userIds.size());
      ordered = columns.rowsInOrder(offsets);
      removeDuplicates();
      removeBots();
      peelCore();
      if (gone.cardinality() == columns.size()) {
        rejects.commit();
        throw new InvalidInputException(nothingLeft());
      }
      normalise();
      weigh();
      compactIds();
    }

    private String nothingLeft() {
      StringBuilder message =
          new StringBuilder(
              "nothing is left of %s after cleaning: all %d rows were rejected"
                  .formatted(String.join(", ", sources), rejects.total()));
      rejects
          .counts()
          .forEach((reason, count) -> message.append(", %d as %s".formatted(count, reason)));
      if (!rejects.examples().isEmpty()) {
        message.append(". The first: ").append(rejects.examples().get(0));
      }
      return message.append(". Check the format and the columns").toString();
    }

    private void removeDuplicates() {
      switch (options.duplicates()) {
        case KEEP_ALL -> {}
        case SAME_EVENT -> removeSameEvents();
        case FIRST_OF_PAIR -> removePairs(true);
        case LAST_OF_PAIR -> removePairs(false);
      }
    }

    private record EventKey(int part, int item, byte type) {}

    private void removeSameEvents() {
      long[] times = columns.times();
      if (times == null) {
        return;
      }
      for (int user = 0; user < userIds.size(); user++) {
        int from = offsets[user];
        while (from < offsets[user + 1]) {
          long time = times[ordered[from]];
          int to = from + 1;
          while (to < offsets[user + 1] && times[ordered[to]] == time) {
            to++;
          }
          if (to - from > 1 && time != Event.NO_TIME) {
            Set<EventKey> seen = new HashSet<>();
            for (int i = from; i < to; i++) {
              int row = ordered[i];
              EventKey key = new EventKey(partOf(row), columns.items()[row], columns.types()[row]);
              if (!seen.add(key)) {
                remove(row, RejectReason.DUPLICATE_EVENT, "the same event stands further up");
              }
            }
          }
          from = to;
        }
      }
    }

    private void removePairs(boolean keepFirst) {
      // The last user (from 1) that had the item, for each part.
      int[][] seenBy = new int[TEST + 1][];
      for (int part : parts) {
        seenBy[part] = new int[itemIds.size()];
      }
      for (int user = 0; user < userIds.size(); user++) {
        int count = offsets[user + 1] - offsets[user];
        for (int i = 0; i < count; i++) {
          int row = ordered[keepFirst ? offsets[user] + i : offsets[user + 1] - 1 - i];
          int[] seen = seenBy[partOf(row)];
          int item = columns.items()[row];
          if (seen[item] == user + 1) {
            remove(
                row,
                RejectReason.DUPLICATE_PAIR,
                keepFirst ? "the user had the item before" : "the user has the item again later");
          }
          seen[item] = user + 1;
        }
      }
    }

    private void removeBots() {
      long[] times = columns.times();
      double limit = options.maxEventsPerMinute() * (options.botWindow().toMillis() / 60_000.0);
      if (times == null || limit >= columns.size()) {
        return;
      }
      long window = options.botWindow().toMillis();
      int[] counted = new int[columns.size()];
      for (int user = 0; user < userIds.size(); user++) {
        if (offsets[user + 1] - offsets[user] <= limit) {
          continue;
        }
        int count = 0;
        for (int i = offsets[user]; i < offsets[user + 1]; i++) {
          int row = ordered[i];
          EventType type = RowColumns.type(columns.types()[row]);
          if (!gone.get(row)
              && times[row] != Event.NO_TIME
              && (type == EventType.VIEW || type == EventType.CLICK || type == EventType.CART)) {
            counted[count++] = row;
          }
        }
        int most = 0;
        for (int last = 0, first = 0; last < count; last++) {
          while (times[counted[last]] - times[counted[first]] >= window) {
            first++;
          }
          most = Math.max(most, last - first + 1);
        }
        if (most > limit) {
          String detail =
              "the user has %d events within %s, more than %s a minute"
                  .formatted(most, options.botWindow(), options.maxEventsPerMinute());
          for (int i = offsets[user]; i < offsets[user + 1]; i++) {
            if (!gone.get(ordered[i])) {
              remove(ordered[i], RejectReason.BOT, detail);
            }
          }
        }
      }
    }

    /** Takes away users and items with too few rows until none is left (Batagelj, Zaversnik). */
    private void peelCore() {
      if (options.minUserEvents() == 1 && options.minItemEvents() == 1) {
        return;
      }
      int numUsers = userIds.size();
      int numItems = itemIds.size();
      int[] userDegree = new int[numUsers];
      int[] itemDegree = new int[numItems];
      int[] itemOffsets = new int[numItems + 1];
      for (int row = 0; row < columns.size(); row++) {
        itemOffsets[columns.items()[row] + 1]++;
        if (!gone.get(row)) {
          userDegree[columns.users()[row]]++;
          itemDegree[columns.items()[row]]++;
        }
      }
      for (int item = 0; item < numItems; item++) {
        itemOffsets[item + 1] += itemOffsets[item];
      }
      int[] next = Arrays.copyOf(itemOffsets, numItems);
      int[] byItem = new int[columns.size()];
      for (int row = 0; row < columns.size(); row++) {
        byItem[next[columns.items()[row]]++] = row;
      }
      // A stack of users (u) and items (~i) that are to go; each gets on it once, on the way down.
      int[] stack = new int[numUsers + numItems];
      int height = 0;
      for (int user = 0; user < numUsers; user++) {
        if (userDegree[user] > 0 && userDegree[user] < options.minUserEvents()) {
          stack[height++] = user;
        }
      }
      for (int item = 0; item < numItems; item++) {
        if (itemDegree[item] > 0 && itemDegree[item] < options.minItemEvents()) {
          stack[height++] = ~item;
        }
      }
      while (height > 0) {
        int entry = stack[--height];
        boolean isUser = entry >= 0;
        int from = isUser ? offsets[entry] : itemOffsets[~entry];
        int to = isUser ? offsets[entry + 1] : itemOffsets[~entry + 1];
        for (int i = from; i < to; i++) {
          int row = isUser ? ordered[i] : byItem[i];
          if (gone.get(row)) {
            continue;
          }
          remove(
              row,
              RejectReason.K_CORE,
              isUser
                  ? "the user has fewer than %d rows".formatted(options.minUserEvents())
                  : "the item has fewer than %d rows".formatted(options.minItemEvents()));
          int user = columns.users()[row];
          int item = columns.items()[row];
          if (--userDegree[user] == options.minUserEvents() - 1 && !(isUser && user == entry)) {
            stack[height++] = user;
          }
          if (--itemDegree[item] == options.minItemEvents() - 1 && !(!isUser && item == ~entry)) {
            stack[height++] = ~item;
          }
        }
      }
    }

    private void normalise() {
      float[] values = columns.values();
      if (values == null) {
        return;
      }
      switch (options.normalization()) {
        case NONE -> {}
        case MIN_MAX -> {
          float min = Float.POSITIVE_INFINITY;
          float max = Float.NEGATIVE_INFINITY;
          for (int row = 0; row < columns.size(); row++) {
            if (!gone.get(row) && !Float.isNaN(values[row])) {
              min = Math.min(min, values[row]);
              max = Math.max(max, values[row]);
            }
          }
          double range = (double) max - min;
          for (int row = 0; row < columns.size(); row++) {
            values[row] =
                range > 0 ? (float) (((double) values[row] - min) / range) : values[row] - min;
          }
          notes.add("values were normalised from %s..%s to 0..1".formatted(min, max));
        }
        case Z_SCORE -> {
          double mean = mean(values, 0, columns.size(), null);
          double sum = 0;
          long count = 0;
          for (int row = 0; row < columns.size(); row++) {
            if (!gone.get(row) && !Float.isNaN(values[row])) {
              sum += (values[row] - mean) * (values[row] - mean);
              count++;
            }
          }
          double deviation = count == 0 ? 0 : Math.sqrt(sum / count);
          for (int row = 0; row < columns.size(); row++) {
            values[row] = (float) ((values[row] - mean) / (deviation > 0 ? deviation : 1));
          }
          notes.add(
              "values were normalised from mean %s, standard deviation %s"
                  .formatted((float) mean, (float) deviation));
        }
        case CENTER_BY_USER -> {
          for (int user = 0; user < userIds.size(); user++) {
            double mean = mean(values, offsets[user], offsets[user + 1], ordered);
            for (int i = offsets[user]; i < offsets[user + 1]; i++) {
              values[ordered[i]] = (float) (values[ordered[i]] - mean);
            }
          }
          notes.add("the mean of each user was subtracted from the values");
        }
      }
    }

    private double mean(float[] values, int from, int to, int @Nullable [] order) {
      double sum = 0;
      long count = 0;
      for (int i = from; i < to; i++) {
        int row = order == null ? i : order[i];
        if (!gone.get(row) && !Float.isNaN(values[row])) {
          sum += values[row];
          count++;
        }
      }
      return count == 0 ? 0 : sum / count;
    }

    private void weigh() {
      EventType[] types = EventType.values();
      float[] byType = new float[types.length];
      boolean differ = false;
      for (int i = 0; i < types.length; i++) {
        byType[i] = options.weights().getOrDefault(types[i], 1f);
      }
      for (int row = 0; row < columns.size() && !differ; row++) {
        differ = byType[columns.types()[row]] != 1f;
      }
      if (!differ) {
        return;
      }
      float[] weights = new float[columns.size()];
      for (int row = 0; row < weights.length; row++) {
        weights[row] = byType[columns.types()[row]];
      }
      columns.setWeights(weights);
    }

    private void compactIds() {
      newUser = new int[userIds.size()];
      newItem = new int[itemIds.size()];
      for (int row = gone.nextClearBit(0); row < columns.size(); row = gone.nextClearBit(row + 1)) {
        newUser[columns.users()[row]] = 1;
        newItem[columns.items()[row]] = 1;
      }
      users = compact(userIds, newUser);
      items = compact(itemIds, newItem);
      int[] itemOfRow = columns.items();
      for (int row = 0; row < columns.size(); row++) {
        itemOfRow[row] = newItem[itemOfRow[row]];
      }
    }

    // Turns marks into new numbers (-1 where there was none).
    private static IdIndex compact(IdIndex.Builder ids, int[] marks) {
      IdIndex.Builder kept = IdIndex.builder();
      boolean all = true;
      for (int mark : marks) {
        all &= mark == 1;
      }
      for (int i = 0; i < marks.length; i++) {
        marks[i] = marks[i] == 0 ? -1 : all ? i : kept.add(ids.idOf(i));
      }
      return all ? ids.build() : kept.build();
    }

    Interactions interactions(int part) {
      int[] newOffsets = new int[users.size() + 1];
      int[] rows = new int[columns.size()];
      int count = 0;
      for (int user = 0; user < newUser.length; user++) {
        if (newUser[user] < 0) {
          continue;
        }
        for (int i = offsets[user]; i < offsets[user + 1]; i++) {
          if (!gone.get(ordered[i]) && partOf(ordered[i]) == part) {
            rows[count++] = ordered[i];
          }
        }
        newOffsets[newUser[user] + 1] = count;
      }
      return Interactions.of(users, items, newOffsets, Arrays.copyOf(rows, count), columns);
    }

    CleaningReport finish() {
      rejects.commit();
      long kept = (long) columns.size() - gone.cardinality();
      return new CleaningReport(
          kept + rejects.total(),
          kept,
          users.size(),
          items.size(),
          rejects.counts(),
          rejects.examples(),
          notes);
    }

    private int sourceOf(int row) {
      int source = 0;
      while (row >= ends.get(source)) {
        source++;
      }
      return source;
    }

    private int partOf(int row) {
      return parts.get(sourceOf(row));
    }

    private void remove(int row, RejectReason reason, String detail) {
      gone.set(row);
      long[] times = columns.times();
      String text =
          "%s,%s,%s,%s"
              .formatted(
                  userIds.idOf(columns.users()[row]),
                  itemIds.idOf(columns.items()[row]),
                  RowColumns.type(columns.types()[row]),
                  timeText(times == null ? Event.NO_TIME : times[row]));
      rejects.add(new RejectedRow(sources.get(sourceOf(row)), lines[row], reason, detail, text));
    }

    private static String timeText(long time) {
      return time == Event.NO_TIME ? "" : Long.toString(time);
    }

    @Override
    public void close() {
      rejects.close();
    }
  }
}
