package io.sextant.serve;

import io.sextant.RankedLists;
import io.sextant.meta.DecidedLists;
import io.sextant.meta.MixedLists;
import io.sextant.meta.ServableModel;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.UserState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Makes the lists of jobs that can be computed together.
 *
 * @param jobs of one group, at least one
 */
record GroupSearch(List<Job> jobs) implements ExcludedItems {

  @Override
  public int[] of(int list) {
    return jobs.get(list).excluded();
  }

  @Override
  public long[] mask(int list) {
    return jobs.get(list).mask();
  }

  /** What was found, in the order of the jobs. */
  List<Job.Found> search() {
    ServableModel model = jobs.get(0).version().model();
    List<UserState> users = jobs.stream().map(Job::user).toList();
    int n = jobs.stream().mapToInt(Job::n).max().orElse(1);
    return switch (jobs.get(0).kind()) {
      case RANKED -> found(model, model.rank(users, n, this), null, null);
      case WITH_PARTS -> {
        MixedLists mixed = model.rankWithParts(users, n, this);
        yield found(model, mixed.lists(), mixed, null);
      }
      case LOGGED -> {
        DecidedLists decided = model.rankForLog(users, n, this);
        yield found(model, decided.lists(), null, decided);
      }
      case SIMILAR ->
          found(
              model,
              model.similar(users.stream().map(UserState::history).toList(), n, this),
              null,
              null);
    };
  }

  private List<Job.Found> found(
      ServableModel model,
      RankedLists lists,
      @Nullable MixedLists mixed,
      @Nullable DecidedLists decided) {
    List<Job.Found> found = new ArrayList<>(jobs.size());
    for (int list = 0; list < jobs.size(); list++) {
      Job job = jobs.get(list);
      int length = Math.min(job.n(), lists.lengths()[list]);
      int from = list * lists.k();
      int[] places = Arrays.copyOfRange(lists.items(), from, from + length);
      float[] scores = Arrays.copyOfRange(lists.scores(), from, from + length);
      int row = list;
      List<Map<String, Float>> parts =
          mixed == null
              ? List.of()
              : IntStream.range(0, length).mapToObj(place -> mixed.partsOf(row, place)).toList();
      float[] directions = job.directions() ? model.directions(places) : new float[0];
      Job.Evidence evidence =
          decided == null
              ? null
              : new Job.Evidence(
                  IntStream.range(0, length).mapToObj(p -> decided.scoresOf(row, p)).toList(),
                  decided.inputsOf(row),
                  decided.gatesOf(row));
      found.add(new Job.Found(places, scores, parts, directions, evidence));
    }
    return found;
  }
}
