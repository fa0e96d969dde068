package io.sextant.nn;

import io.sextant.InvalidInputException;
import java.util.Objects;

/**
 * The shape of a sequence encoder.
 *
 * @param dimension D, the width of item vectors, states and queries
 * @param blocks how many attention blocks
 * @param heads how many attention heads a block has; divides the dimension
 * @param historyLength L, how many of the latest items of a history are read
 * @param hidden width of the hidden layer of each block's feed-forward part
 * @param dropout share of activations that training drops
 * @param normFirst whether a block normalises what it reads (Xiong et al., ICML 2020) and not what
 *     it gives (Vaswani et al., NeurIPS 2017)
 * @param positions whether a token carries an embedding of its place, counted from the end
 * @param distances whether attention has a learned bias by the distance between two tokens (Raffel
 *     et al., JMLR 21, 2020, with one bias per distance)
 * @param similarity how query and item vector are compared
 * @param temperature scores of a cosine are divided by it; means nothing for an inner product
 * @param initStd standard deviation of the embeddings at the start
 */
public record SequenceOptions(
    int dimension,
    int blocks,
    int heads,
    int historyLength,
    int hidden,
    float dropout,
    boolean normFirst,
    boolean positions,
    boolean distances,
    TwoTowerOptions.Similarity similarity,
    float temperature,
    float initStd) {

  public SequenceOptions {
    Objects.requireNonNull(similarity, "similarity");
    check(dimension > 0, "dimension must be > 0 but was " + dimension);
    check(blocks > 0, "blocks must be > 0 but was " + blocks);
    check(
        heads > 0 && dimension % heads == 0,
        "heads must be > 0 and divide the dimension %d but was %d".formatted(dimension, heads));
    check(historyLength > 0, "historyLength must be > 0 but was " + historyLength);
    check(hidden > 0, "hidden must be > 0 but was " + hidden);
    check(dropout >= 0 && dropout < 1, "dropout must be in [0, 1) but was " + dropout);
    check(temperature > 0, "temperature must be > 0 but was " + temperature);
    check(initStd > 0, "initStd must be > 0 but was " + initStd);
  }

  /** The defaults: one block of width 64 over the latest 50 items, compared by cosine. */
  public static Builder builder() {
    return new Builder();
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private int dimension = 64;
    private int blocks = 1;
    private int heads = 1;
    private int historyLength = 50;
    private int hidden = 64;
    private float dropout = 0.3f;
    private boolean normFirst = true;
    private boolean positions = true;
    private boolean distances = true;
    private TwoTowerOptions.Similarity similarity = TwoTowerOptions.Similarity.COSINE;
    private float temperature = 0.07f;
    private float initStd = 0.05f;

    private Builder() {}

    public Builder dimension(int dimension) {
      this.dimension = dimension;
      return this;
    }

    public Builder blocks(int blocks) {
      this.blocks = blocks;
      return this;
    }

    public Builder heads(int heads) {
      this.heads = heads;
      return this;
    }

    public Builder historyLength(int historyLength) {
      this.historyLength = historyLength;
      return this;
    }

    public Builder hidden(int hidden) {
      this.hidden = hidden;
      return this;
    }

    public Builder dropout(float dropout) {
      this.dropout = dropout;
      return this;
    }

    public Builder normFirst(boolean normFirst) {
      this.normFirst = normFirst;
      return this;
    }

    public Builder positions(boolean positions) {
      this.positions = positions;
      return this;
    }

    public Builder distances(boolean distances) {
      this.distances = distances;
      return this;
    }

    public Builder similarity(TwoTowerOptions.Similarity similarity) {
      this.similarity = similarity;
      return this;
    }

    public Builder temperature(float temperature) {
      this.temperature = temperature;
      return this;
    }

    public Builder initStd(float initStd) {
      this.initStd = initStd;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidInputException if one is out of its range
     */
    public SequenceOptions build() {
      return new SequenceOptions(
          dimension,
          blocks,
          heads,
          historyLength,
          hidden,
          dropout,
          normFirst,
          positions,
          distances,
          similarity,
          temperature,
          initStd);
    }
  }
}
