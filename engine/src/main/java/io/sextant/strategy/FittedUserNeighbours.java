package io.sextant.strategy;

import com.google.gson.Gson;
import io.sextant.InvalidInputException;
import io.sextant.store.StoredStrategy;
import io.sextant.store.TensorSource;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The users of training and their items, by user and inverted. See {@link UserNeighbours}.
 *
 * <p>Thread safety: as {@link FittedStrategy}; holds nothing native. Votes are added in the order
 * of the users, so a score does not depend on what other threads do.
 */
final class FittedUserNeighbours implements FittedStrategy, SparseScores, HistoryScores {

  private static final Gson GSON = new Gson();

  private final UserNeighbours options;
  private final Links users;
  private final Links items;
  private final float[] itemFactors;
  private final float[] userFactors;
  private final float[] votes;
  private final Queue<Scratch> idle = new ConcurrentLinkedQueue<>();

  FittedUserNeighbours(UserNeighbours options, Links users) {
    this.options = options;
    this.users = users;
    items = users.transposed();
    itemFactors = items.degrees(-options.itemExponent());
    userFactors = users.degrees(-options.userExponent());
    float[] targetFactors = items.degrees(-options.targetExponent());
    votes = users.weights().clone();
    for (int at = 0; at < votes.length; at++) {
      votes[at] *= targetFactors[users.columns()[at]];
    }
  }

  static FittedUserNeighbours load(StoredStrategy stored) {
    return Restored.from(
        stored,
        UserNeighbours.class,
        (options, tensors) -> {
          // Gson leaves null what is missing.
          if ((Object) options.history() == null) {
            throw new InvalidInputException("'history' is missing");
          }
          int[] itemStarts = tensors.tensor("items.starts").toInts();
          Links users =
              new Links(
                  itemStarts.length - 1,
                  tensors.tensor("users.starts").toInts(),
                  tensors.tensor("users.items").toInts(),
                  tensors.tensor("users.weights").toFloats());
          FittedUserNeighbours fitted = new FittedUserNeighbours(options, users);
          if (!Arrays.equals(itemStarts, fitted.items.starts())) {
            throw new InvalidInputException("tensor 'items.starts' does not fit to 'users.items'");
          }
          return fitted;
        });
  }

  @Override
  public String type() {
    return UserNeighbours.TYPE;
  }

  @Override
  public int numItems() {
    return users.numColumns();
  }

  @Override
  public Optional<SparseScores> sparse() {
    return Optional.of(this);
  }

  @Override
  public void score(UserState user, ScoreSums into) {
    Scratch scratch = Objects.requireNonNullElseGet(idle.poll(), Scratch::new);
    int size = scratch.nearest(user);
    for (int n = 0; n < size; n++) {
      int neighbour = scratch.neighbours[n];
      into.addAll(
          users.columns(),
          votes,
          users.starts()[neighbour],
          users.starts()[neighbour + 1],
          scratch.similarities[n]);
    }
    idle.add(scratch);
  }

  @Override
  public Optional<HistoryScores> byHistory() {
    return Optional.of(this);
  }

  /** Each neighbour's vote is shared out to the items that make the neighbour similar. */
  @Override
  public float[] parts(UserState user, int item) {
    int[] history = user.history();
    float[] parts = new float[history.length];
    float[] latestFirst = options.history().latestFirst(history.length);
    Scratch scratch = Objects.requireNonNullElseGet(idle.poll(), Scratch::new);
    int size = scratch.nearest(user);
    for (int n = 0; n < size; n++) {
      int neighbour = scratch.neighbours[n];
      int vote = users.find(neighbour, item);
      if (vote < 0) {
        continue;
      }
      float factor = userFactors[neighbour] * votes[vote];
      for (int back = 0; back < latestFirst.length; back++) {
        int place = history.length - 1 - back;
        int shared = items.find(history[place], neighbour);
        if (shared >= 0) {
          parts[place] +=
              latestFirst[back] * itemFactors[history[place]] * items.weights()[shared] * factor;
        }
      }
    }
    idle.add(scratch);
    return parts;
  }

  @Override
  public String configJson() {
    return GSON.toJson(options);
  }

  @Override
  public List<TensorSource> tensors() {
    return List.of(
        TensorSource.of("items.starts", items.starts(), items.starts().length),
        TensorSource.of("users.starts", users.starts(), users.starts().length),
        TensorSource.of("users.items", users.columns(), users.columns().length),
        TensorSource.of("users.weights", users.weights(), users.weights().length));
  }

  @Override
  public void close() {}

  /** What one thread needs to find the nearest users. */
  private final class Scratch {
    private final ScoreSums sums = new ScoreSums(users.numRows());
    private final Largest largest = new Largest();
    private int[] neighbours = {};
    private float[] similarities = new float[256];

    /** Finds the nearest users, ascending, and says how many they are. */
    int nearest(UserState user) {
      int[] history = user.history();
      float[] weights = options.history().latestFirst(history.length);
      for (int back = 0; back < weights.length; back++) {
        int item = history[history.length - 1 - back];
        sums.addAll(
            items.columns(),
            items.weights(),
            items.starts()[item],
            items.starts()[item + 1],
            weights[back] * itemFactors[item]);
      }
      neighbours = sums.sortedItems();
      if (similarities.length < neighbours.length) {
        similarities = new float[Math.max(neighbours.length, 2 * similarities.length)];
      }
      int size = 0;
      for (int neighbour : neighbours) {
        if (neighbour != user.userIndex()) {
          similarities[size] = sums.get(neighbour) * userFactors[neighbour];
          neighbours[size++] = neighbour;
        }
      }
      sums.clear();
      return largest.keep(neighbours, similarities, size, options.neighbours());
    }
  }
}
