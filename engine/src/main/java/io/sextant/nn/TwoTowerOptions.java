package io.sextant.nn;

import io.sextant.InvalidInputException;
import java.util.List;
import java.util.Objects;

/**
 * The shape of a two-tower model.
 *
 * @param dimension D, the width of user and item vectors
 * @param userIds whether users have an embedding of their own beside history and features
 * @param history how the items of a user's history enter the user's vector
 * @param historyLength L, how many of the latest items of the history are read
 * @param historyDecay weight of an item one step further back, relative to the next; 1 = plain mean
 * @param historyPower the weights of a history of n items are divided by n^historyPower: 1 is the
 *     mean, 0.5 the SVD++ normalisation
 * @param lastItem whether the latest item enters once more; then mean and latest item each go
 *     through a learned linear map, which starts as the identity and half the identity
 * @param hidden widths of the hidden layers of both towers; empty for none
 * @param similarity how user and item vectors are compared
 * @param temperature scores of a cosine are divided by it
 * @param biases whether items and users have a bias, as extra dimensions of the vectors
 * @param initStd standard deviation of the embeddings at the start
 */
public record TwoTowerOptions(
    int dimension,
    boolean userIds,
    History history,
    int historyLength,
    float historyDecay,
    float historyPower,
    boolean lastItem,
    List<Integer> hidden,
    Similarity similarity,
    float temperature,
    boolean biases,
    float initStd) {

  /** How the items of a user's history enter the user's vector. */
  public enum History {
    /** Not at all: a user without an embedding gets the zero vector. */
    NONE,
    /** Through the embeddings by which the items are recommended. */
    SHARED,
    /** Through a second table of item embeddings. */
    OWN
  }

  /** How a user's and an item's vector are compared. */
  public enum Similarity {
    DOT,
    COSINE
  }

  public TwoTowerOptions {
    hidden = List.copyOf(hidden);
    Objects.requireNonNull(history, "history");
    Objects.requireNonNull(similarity, "similarity");
    check(dimension > 0, "dimension must be > 0 but was " + dimension);
    check(historyLength > 0, "historyLength must be > 0 but was " + historyLength);
    check(
        historyDecay > 0 && historyDecay <= 1,
        "historyDecay must be in (0, 1] but was " + historyDecay);
    check(
        historyPower >= 0 && historyPower <= 1,
        "historyPower must be in [0, 1] but was " + historyPower);
    check(temperature > 0, "temperature must be > 0 but was " + temperature);
    check(initStd > 0, "initStd must be > 0 but was " + initStd);
    check(hidden.stream().allMatch(w -> w > 0), "hidden widths must be > 0 but were " + hidden);
    check(
        !lastItem || history != History.NONE,
        "lastItem needs the items of the history: set history to SHARED or OWN");
    check(
        userIds || history != History.NONE,
        "users need an id embedding or a history: set userIds or history");
  }

  /** Matrix factorisation of width 64; everything else is added to it. */
  public static Builder builder() {
    return new Builder();
  }

  /** D plus the two dimensions that carry the biases. */
  public int outputDimension() {
    return dimension + (biases ? 2 : 0);
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private int dimension = 64;
    private boolean userIds = true;
    private History history = History.NONE;
    private int historyLength = 50;
    private float historyDecay = 1;
    private float historyPower = 1;
    private boolean lastItem;
    private List<Integer> hidden = List.of();
    private Similarity similarity = Similarity.DOT;
    private float temperature = 1;
    private boolean biases;
    private float initStd = 0.1f;

    private Builder() {}

    public Builder dimension(int dimension) {
      this.dimension = dimension;
      return this;
    }

    public Builder userIds(boolean userIds) {
      this.userIds = userIds;
      return this;
    }

    public Builder history(History history) {
      this.history = history;
      return this;
    }

    public Builder historyLength(int historyLength) {
      this.historyLength = historyLength;
      return this;
    }

    public Builder historyDecay(float historyDecay) {
      this.historyDecay = historyDecay;
      return this;
    }

    public Builder historyPower(float historyPower) {
      this.historyPower = historyPower;
      return this;
    }

    public Builder lastItem(boolean lastItem) {
      this.lastItem = lastItem;
      return this;
    }

    public Builder hidden(List<Integer> hidden) {
      this.hidden = hidden;
      return this;
    }

    public Builder similarity(Similarity similarity) {
      this.similarity = similarity;
      return this;
    }

    public Builder temperature(float temperature) {
      this.temperature = temperature;
      return this;
    }

    public Builder biases(boolean biases) {
      this.biases = biases;
      return this;
    }

    public Builder initStd(float initStd) {
      this.initStd = initStd;
      return this;
    }

    /**
     * The options.
     *
     * @throws io.sextant.InvalidInputException if one is out of its range
     */
    public TwoTowerOptions build() {
      return new TwoTowerOptions(
          dimension,
          userIds,
          history,
          historyLength,
          historyDecay,
          historyPower,
          lastItem,
          hidden,
          similarity,
          temperature,
          biases,
          initStd);
    }
  }
}
