package io.sextant.serve;

import io.sextant.Diversity;
import io.sextant.Eligibility;
import io.sextant.InvalidInputException;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.RecommendedItem;
import io.sextant.SimilarItemsRequest;
import io.sextant.meta.Explanation;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.UserState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A request in the numbers of one model, which it holds until it is closed. It is a series of jobs,
 * mostly of one: where a list is limited by an attribute, more of the ranking may have to be seen.
 *
 * <p>Thread safety: one thread at a time.
 */
final class Query implements AutoCloseable {

  private final ServedVersion version;
  private final Job.Kind kind;
  private final UserState user;
  private final int[] excluded;
  private final long[] mask;
  private final int k;
  private final Diversity diversity;
  private final long deadline;
  private final @Nullable DecisionWriter writer;
  private final DecisionWriter.@Nullable Subject subject;
  private final int size;
  private int n;
  private int[] places = {};

  private Query(
      ServedVersion version,
      Job.Kind kind,
      UserState user,
      int[] excluded,
      long[] mask,
      int k,
      Diversity diversity,
      long deadline,
      @Nullable DecisionWriter writer,
      DecisionWriter.@Nullable Subject subject) {
    this.version = version;
    this.kind = kind;
    this.user = user;
    this.excluded = excluded;
    this.mask = mask;
    this.k = k;
    this.diversity = diversity;
    this.deadline = deadline;
    size = Math.max(1, version.catalogue().size());
    this.writer = writer;
    this.subject = subject;
    int pool = writer == null ? 0 : writer.logging().pool();
    n = Math.min(size, Math.max(pool, Variety.pool(diversity, k)));
  }

  /**
   * A request for a user.
   *
   * @param version acquired; the query's from here on, unless this throws
   * @param live events of the user since the bundle was made
   * @param writer logs the decision; null if it is not to be logged
   * @param baselineVersion the incumbent's, for the log
   */
  static Query of(
      ServedVersion version,
      RecommendationRequest request,
      List<String> live,
      long deadline,
      @Nullable DecisionWriter writer,
      String baselineVersion) {
    if (writer != null) {
      DecisionWriter.check(request.userId());
    }
    Catalogue catalogue = version.catalogue();
    List<String> given = request.history();
    int index = version.indexOf(request.userId());
    int[] stored = given == null ? version.storedHistory(index) : new int[0];
    List<String> events = given == null ? live : given;
    int[] known = events.stream().mapToInt(catalogue::knownAs).filter(i -> i >= 0).toArray();
    int[] history = LiveHistories.joined(stored, known);
    UserState user = new UserState(index, history);
    DecisionWriter.Subject subject =
        writer == null
            ? null
            : new DecisionWriter.Subject(
                request.userId(),
                DecisionWriter.history(catalogue, stored, events, history),
                baselineVersion);
    Eligibility eligibility = request.eligibility();
    IntStream seen =
        eligibility.includeSeen()
            ? IntStream.empty()
            : IntStream.concat(Arrays.stream(stored), events.stream().mapToInt(catalogue::placeOf));
    return new Query(
        version,
        kind(request, writer),
        user,
        excluded(catalogue, seen, eligibility),
        mask(catalogue, eligibility),
        request.k(),
        request.diversity(),
        deadline,
        writer,
        subject);
  }

  private static Job.Kind kind(RecommendationRequest request, @Nullable DecisionWriter writer) {
    if (writer != null) {
      return Job.Kind.LOGGED;
    }
    return request.parts() ? Job.Kind.WITH_PARTS : Job.Kind.RANKED;
  }

  /**
   * A request for items that are like one.
   *
   * @param version acquired; the query's from here on, unless this throws
   * @throws InvalidInputException if the model does not know the item
   */
  static Query of(ServedVersion version, SimilarItemsRequest request, long deadline) {
    Catalogue catalogue = version.catalogue();
    int item = catalogue.placeOf(request.itemId());
    if (item < 0) {
      throw new InvalidInputException(
          "the model does not know the item '%s'".formatted(shortened(request.itemId())));
    }
    return new Query(
        version,
        Job.Kind.SIMILAR,
        UserState.unseen(catalogue.knownAs(request.itemId())),
        excluded(catalogue, IntStream.of(item), request.eligibility()),
        mask(catalogue, request.eligibility()),
        request.k(),
        Diversity.NONE,
        deadline,
        null,
        null);
  }

  /** An id as a message can hold it. */
  static String shortened(String id) {
    return id.length() <= 100 ? id : id.substring(0, 100) + "...";
  }

  private static int[] excluded(Catalogue catalogue, IntStream seen, Eligibility eligibility) {
    IntStream denied = eligibility.deny().stream().mapToInt(catalogue::placeOf);
    return IntStream.concat(seen, denied).filter(place -> place >= 0).sorted().distinct().toArray();
  }

  private static long[] mask(Catalogue catalogue, Eligibility eligibility) {
    long[] mask = catalogue.mask(eligibility.filters());
    if (eligibility.allow() == null) {
      return mask;
    }
    long[] narrow = new long[mask.length];
    Arrays.fill(narrow, -1);
    for (String id : eligibility.allow()) {
      int place = catalogue.placeOf(id);
      if (place >= 0) {
        long bit = 1L << place;
        narrow[place / Long.SIZE] &= ~bit | mask[place / Long.SIZE];
      }
    }
    return narrow;
  }

  long deadline() {
    return deadline;
  }

  String version() {
    return version.id();
  }

  /** The next job, which holds the model for itself. */
  Job job() {
    if (!version.acquire()) {
      throw new IllegalStateException("the query is closed");
    }
    return new Job(
        version,
        kind,
        user,
        excluded,
        mask,
        n,
        diversity.relevance() < 1,
        deadline,
        System.nanoTime(),
        new CompletableFuture<>());
  }

  /** The answer, if what was found suffices for it; else null, and there is another job to do. */
  @Nullable Recommendations answer(Job.Found found) {
    int length = found.places().length;
    int[] taken =
        diversity.equals(Diversity.NONE)
            ? IntStream.range(0, Math.min(k, length)).toArray()
            : Variety.take(found.scores(), k, diversity, values(found), likeness(found));
    if (taken.length < k && length == n && n < size) {
      n = (int) Math.min(size, 2L * n);
      return null;
    }
    String decisionId = null;
    Job.Evidence evidence = found.evidence();
    if (writer != null && subject != null && evidence != null) {
      int[] varied = diversity.equals(Diversity.NONE) ? null : taken;
      DecisionWriter.Shown shown = writer.show(version, subject, found, evidence, k, varied);
      taken = shown.taken();
      decisionId = shown.decisionId();
    }
    places = Arrays.stream(taken).map(i -> found.places()[i]).toArray();
    List<RecommendedItem> items = new ArrayList<>(taken.length);
    for (int i : taken) {
      Map<String, Float> parts = found.parts().isEmpty() ? Map.of() : found.parts().get(i);
      items.add(
          new RecommendedItem(
              version.catalogue().idOf(found.places()[i]), found.scores()[i], parts));
    }
    return new Recommendations(version.id(), decisionId, items);
  }

  private int[][] values(Job.Found found) {
    return diversity.attribute() == null
        ? new int[0][]
        : version.catalogue().codes(found.places(), diversity.attribute());
  }

  private Variety.Likeness likeness(Job.Found found) {
    int count = found.places().length;
    if (diversity.relevance() == 1 || count == 0) {
      return (a, b) -> 0;
    }
    return found.directions().length > 0
        ? Variety.cosine(found.directions(), found.directions().length / count)
        : Variety.shared(version.catalogue().values(found.places()));
  }

  /** Explanations of the items of the answer, in order. */
  List<Explanation> explain() {
    ExcludedItems exclusions =
        new ExcludedItems() {
          @Override
          public int[] of(int list) {
            return excluded;
          }

          @Override
          public long[] mask(int list) {
            return mask;
          }
        };
    return places.length == 0 ? List.of() : version.model().explain(user, places, exclusions);
  }

  /** The id of a place. */
  String idOf(int place) {
    return version.catalogue().idOf(place);
  }

  /** How people call the item of a place. */
  String titleOf(int place) {
    return version.titleOf(place);
  }

  @Override
  public void close() {
    version.release();
  }
}
