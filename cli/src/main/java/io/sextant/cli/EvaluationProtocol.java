package io.sextant.cli;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.store.StoredHistories;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.Arrays;

/** Divides events into what a model is told of its users and what it is to find. */
sealed interface EvaluationProtocol {

  /**
   * What users are known by and what they did then, over the same users and items.
   *
   * @param history by which users are served, and what is not recommended again
   * @param truth what is to be found: nothing that the history has
   * @param repeats events that are no truth because the user's history has their item already
   */
  record Cut(Interactions history, Interactions truth, long repeats) {

    static Cut of(Interactions history, Interactions after) {
      boolean[] isNew = new boolean[after.size()];
      for (int user = 0; user < after.numUsers(); user++) {
        int[] seen = after.degree(user) == 0 ? new int[0] : history.seenOf(user);
        for (int row = after.start(user); row < after.end(user); row++) {
          isNew[row] = Arrays.binarySearch(seen, after.itemAt(row)) < 0;
        }
      }
      Interactions truth = after.filter(row -> isNew[row]);
      return new Cut(history, truth, (long) after.size() - truth.size());
    }
  }

  /**
   * Divides events.
   *
   * @param events over the model's items, and users of whom the model's come first
   */
  Cut cut(Interactions events, LoadedModel model);

  /** Whether the model may use what it learned of users in training. */
  boolean trainingComesBefore();

  /**
   * The protocol with a name: last, all or time:DATE.
   *
   * @throws InvalidInputException if there is none
   */
  static EvaluationProtocol parse(String text) {
    if (text.equals("last")) {
      return new Last();
    }
    if (text.equals("all")) {
      return new All();
    }
    if (text.startsWith("time:")) {
      return new From(moment(text.substring("time:".length())));
    }
    throw new InvalidInputException(
        "--protocol is last, all or time:YYYY-MM-DD but was '" + text + "'");
  }

  private static long moment(String text) {
    try {
      return text.contains("T")
          ? Instant.parse(text).toEpochMilli()
          : LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
    } catch (DateTimeParseException e) {
      throw new InvalidInputException(
          ("--protocol time:%s has no date: write time:2030-01-31 for the start of that day in UTC,"
                  + " or time:2030-01-31T12:00:00Z")
              .formatted(text),
          e);
    }
  }

  /** The last event of each user is to be found from those before it. */
  record Last() implements EvaluationProtocol {

    @Override
    public Cut cut(Interactions events, LoadedModel model) {
      Demo.LastOut split = Demo.LastOut.of(events);
      if (split.test().size() == 0) {
        throw new InvalidInputException(
            "no user has two events of the model's items: there is no last one to find");
      }
      return Cut.of(split.train(), split.test());
    }

    @Override
    public boolean trainingComesBefore() {
      return false;
    }
  }

  /**
   * The events from a moment on are to be found from those before it.
   *
   * @param cutMillis the moment, ms since 1970
   */
  record From(long cutMillis) implements EvaluationProtocol {

    @Override
    public Cut cut(Interactions events, LoadedModel model) {
      Split split = Splitter.globalTimeAt(cutMillis, cutMillis).split(events);
      if (split.test().size() == 0) {
        throw new InvalidInputException(
            "no event is as late as %s: the events are of %s to %s"
                .formatted(
                    Instant.ofEpochMilli(cutMillis),
                    Instant.ofEpochMilli(events.minTime()),
                    Instant.ofEpochMilli(events.maxTime())));
      }
      return Cut.of(split.train(), split.test());
    }

    @Override
    public boolean trainingComesBefore() {
      return false;
    }
  }

  /** All events came after training and are to be found from the histories in the bundle. */
  record All() implements EvaluationProtocol {

    @Override
    public Cut cut(Interactions events, LoadedModel model) {
      StoredHistories histories =
          model
              .histories()
              .orElseThrow(
                  () ->
                      new InvalidInputException(
                          "the bundle holds no histories, which --protocol all needs:"
                              + " use last or time:DATE, or train without --no-histories"));
      Interactions.Builder history = Interactions.builder(events.users(), events.items());
      for (int user = 0; user < histories.numUsers(); user++) {
        if (events.degree(user) > 0) {
          for (int item : histories.of(user)) {
            history.add(
                user,
                item,
                EventType.CLICK,
                Float.NaN,
                1,
                Event.NO_TIME,
                InteractionFeatures.UNKNOWN);
          }
        }
      }
      return Cut.of(history.build(), events);
    }

    @Override
    public boolean trainingComesBefore() {
      return true;
    }
  }
}
