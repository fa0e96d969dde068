package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/**
 * A table of R learned vectors of width D: indices (any shape) in, vectors (that shape, D) out.
 *
 * <p>In training its value is replaced by the K rows that the batch reads, and indices count within
 * those; see {@code train}. So no gradient of the size of the table ever exists.
 */
public final class EmbeddingTable extends ReadyBlock {

  private final Parameter weight;

  /** A table of these vectors (R, D), which the block from now on owns. */
  @SuppressWarnings("this-escape")
  public EmbeddingTable(NDArray vectors) {
    weight =
        addParameter(Parameter.builder().setName("weight").setType(Parameter.Type.WEIGHT).build());
    weight.setArray(vectors);
  }

  /** The whole table (R, D). */
  public NDArray vectors() {
    return weight.getArray();
  }

  /** The parameter that holds the table. */
  public Parameter weight() {
    return weight;
  }

  /**
   * Looks indices up at the given values. Indices are int64; the result is the indices' manager's.
   * Of a table in another memory than the indices, the vectors that are looked up are copied; that
   * is not differentiable.
   */
  public NDArray lookUp(ParameterStore values, NDArray indices) {
    NDArray table = values.getValue(weight, indices.getDevice(), true);
    if (!table.getDevice().getDeviceType().equals(indices.getDevice().getDeviceType())) {
      NDArray there = indices.toDevice(table.getDevice(), true);
      NDArray found = Embedding.embedding(there, table, SparseFormat.DENSE).singletonOrThrow();
      return found.toDevice(indices.getDevice(), true);
    }
    return Embedding.embedding(indices, table, SparseFormat.DENSE).singletonOrThrow();
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore values, NDList inputs, boolean training, PairList<String, Object> params) {
    return new NDList(lookUp(values, inputs.singletonOrThrow()));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {inputs[0].add(weight.getShape().get(1))};
  }
}
