package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import java.util.Arrays;

/**
 * Items to build an index over.
 *
 * <p>Thread safety: as the tensor.
 *
 * @param vectors (I, D) float32
 * @param fixed how many of the first items keep their vectors; the others may be written at any
 *     time between searches and are always compared exactly
 * @param scales (D) by what numbers each column must be multiplied so that all columns weigh alike
 *     in what is asked for: an index that compares items with each other uses it. Scores do not
 *     depend on it.
 */
public record IndexedItems(NDArray vectors, int fixed, float[] scales) {

  public IndexedItems {
    Search.requireMatrix(vectors, "vectors");
    if (fixed < 0 || fixed > vectors.getShape().get(0)) {
      throw new InvalidInputException(
          "fixed must lie in 0..%d, the number of items, but was %d"
              .formatted(vectors.getShape().get(0), fixed));
    }
    if (scales.length != vectors.getShape().get(1)) {
      throw new InvalidInputException(
          "there must be a scale for each of %d columns but there are %d"
              .formatted(vectors.getShape().get(1), scales.length));
    }
  }

  /** Items that all keep their vectors, whose columns weigh as they are. */
  public static IndexedItems of(NDArray vectors) {
    Search.requireMatrix(vectors, "vectors");
    float[] ones = new float[Math.toIntExact(vectors.getShape().get(1))];
    Arrays.fill(ones, 1);
    return new IndexedItems(vectors, Math.toIntExact(vectors.getShape().get(0)), ones);
  }

  int size() {
    return Math.toIntExact(vectors.getShape().get(0));
  }

  int dimension() {
    return scales.length;
  }
}
