package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What user and item encoder have in common: a sum of id embedding, mean embedding of each column
 * of codes, and linear maps of numbers and given vectors, all of width D; and a scalar bias from
 * the id and the numbers.
 */
final class EntityEncoder {

  private final String name;
  private final NamedParameter.Group group;
  private final @Nullable EmbeddingTable ids;
  private final @Nullable EmbeddingTable idBias;
  private final List<EmbeddingTable> codeTables = new ArrayList<>();
  private final List<String> codeNames = new ArrayList<>();
  private final @Nullable Dense numeric;
  private final @Nullable Dense numericBias;
  private final @Nullable NDArray numericValues;
  private final List<Dense> vectorMaps = new ArrayList<>();
  private final List<NDArray> vectorValues = new ArrayList<>();

  EntityEncoder(
      NDManager manager,
      NDManager tables,
      String name,
      NamedParameter.Group group,
      EntityFeatures features,
      TwoTowerOptions options,
      boolean useIds,
      boolean numericBiases,
      long seed) {
    this.name = name;
    this.group = group;
    int d = options.dimension();
    int rows = features.numEntities();
    ids = useIds ? Tables.random(tables, rows, d, options.initStd(), seed, name + ".id") : null;
    idBias = useIds && options.biases() ? Tables.zero(tables, rows, 1) : null;
    for (EntityFeatures.Codes column : features.codes()) {
      codeNames.add(column.name());
      codeTables.add(
          Tables.random(
              tables,
              column.vocabularySize(),
              d,
              options.initStd(),
              seed,
              name + "." + column.name()));
    }
    int width = features.numericWidth();
    numeric = width > 0 ? Dense.zero(manager, width, d, false) : null;
    numericBias = width > 0 && numericBiases ? Dense.zero(manager, width, 1, false) : null;
    numericValues = width > 0 ? withUnknown(manager, features.numeric(), rows, width) : null;
    for (EntityFeatures.Vectors column : features.vectors()) {
      vectorMaps.add(
          Dense.random(manager, column.dimension(), d, true, seed, name + "." + column.name()));
      vectorValues.add(withUnknown(manager, column.values(), rows, column.dimension()));
    }
  }

  @Nullable EmbeddingTable ids() {
    return ids;
  }

  /** The blocks by name, for the encoder that they are children of. */
  Map<String, Block> blocks() {
    Map<String, Block> blocks = new LinkedHashMap<>();
    if (ids != null) {
      blocks.put("id", ids);
    }
    if (idBias != null) {
      blocks.put("bias", idBias);
    }
    for (int c = 0; c < codeTables.size(); c++) {
      blocks.put("code." + codeNames.get(c), codeTables.get(c));
    }
    if (numeric != null) {
      blocks.put("numeric", numeric.block());
    }
    if (numericBias != null) {
      blocks.put("numericBias", numericBias.block());
    }
    for (int c = 0; c < vectorMaps.size(); c++) {
      blocks.put("vector" + c, vectorMaps.get(c).block());
    }
    return blocks;
  }

  /** How many columns of codes an input has. */
  int numCodes() {
    return codeTables.size();
  }

  /** Reads an input from a list: id, keep, entity, then codes, then their weights. */
  EntityInput input(NDList inputs) {
    int c = numCodes();
    return new EntityInput(
        inputs.get(0),
        inputs.get(1),
        inputs.get(2),
        inputs.subList(3, 3 + c),
        inputs.subList(3 + c, 3 + 2 * c));
  }

  List<NamedParameter> parameters() {
    List<NamedParameter> named = new ArrayList<>();
    if (ids != null) {
      named.add(NamedParameter.table(name + ".id", ids, group));
    }
    if (idBias != null) {
      named.add(NamedParameter.table(name + ".bias", idBias, group));
    }
    for (int c = 0; c < codeTables.size(); c++) {
      named.add(NamedParameter.table(name + ".code." + codeNames.get(c), codeTables.get(c), group));
    }
    if (numeric != null) {
      named.addAll(numeric.parameters(name + ".numeric", NamedParameter.Group.DENSE));
    }
    if (numericBias != null) {
      named.addAll(numericBias.parameters(name + ".numericBias", NamedParameter.Group.DENSE));
    }
    for (int c = 0; c < vectorMaps.size(); c++) {
      named.addAll(vectorMaps.get(c).parameters(name + ".vector" + c, NamedParameter.Group.DENSE));
    }
    return named;
  }

  /** The sum of the parts (K, D), with one more summand if given. */
  NDArray sum(ParameterStore values, EntityInput input, @Nullable NDArray extra, long dimension) {
    NDArray sum = extra;
    if (ids != null) {
      sum = plus(sum, ids.lookUp(values, input.id()).mul(input.keep()));
    }
    for (int c = 0; c < codeTables.size(); c++) {
      sum =
          plus(
              sum,
              weightedMean(
                  codeTables.get(c).lookUp(values, input.codes().get(c)),
                  input.codeWeights().get(c)));
    }
    if (numeric != null && numericValues != null) {
      sum = plus(sum, numeric.apply(values, RowOptimizer.gather(numericValues, input.entity())));
    }
    for (int c = 0; c < vectorMaps.size(); c++) {
      NDArray given = RowOptimizer.gather(vectorValues.get(c), input.entity());
      sum = plus(sum, vectorMaps.get(c).apply(values, given));
    }
    return sum != null
        ? sum
        : input.keep().getManager().zeros(input.keep().getShape().slice(0, 1).add(dimension));
  }

  /** The bias (K, 1). */
  NDArray bias(ParameterStore values, EntityInput input) {
    NDArray bias = null;
    if (idBias != null) {
      bias = idBias.lookUp(values, input.id()).mul(input.keep());
    }
    if (numericBias != null && numericValues != null) {
      bias =
          plus(bias, numericBias.apply(values, RowOptimizer.gather(numericValues, input.entity())));
    }
    return bias != null ? bias : input.keep().zerosLike();
  }

  /**
   * The values (E, F) and one more row of zeros, which stands for an entity of which nothing is
   * known.
   */
  private static NDArray withUnknown(NDManager manager, float[] values, int rows, int width) {
    return HostArrays.floats(manager, Arrays.copyOf(values, (rows + 1) * width), rows + 1, width);
  }

  /** Vectors (K, M, D) weighted by (K, M) and summed: (K, D). */
  static NDArray weightedMean(NDArray vectors, NDArray weights) {
    long k = weights.getShape().get(0);
    long m = weights.getShape().get(1);
    return weights.reshape(k, 1, m).batchMatMul(vectors).squeeze(1);
  }

  private static NDArray plus(@Nullable NDArray sum, NDArray part) {
    return sum == null ? part : sum.add(part);
  }
}
