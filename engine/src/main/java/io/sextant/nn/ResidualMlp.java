package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code h + W_n relu(... relu(W_1 h))} with W_n zero at the start: training begins at the plain
 * sum of the embeddings, which is matrix factorisation, and moves away only where that pays.
 * Without hidden layers it is the identity.
 */
final class ResidualMlp {

  private final List<Dense> layers = new ArrayList<>();

  ResidualMlp(NDManager manager, int dimension, List<Integer> hidden, long seed, String name) {
    int width = dimension;
    for (int i = 0; i < hidden.size(); i++) {
      layers.add(Dense.random(manager, width, hidden.get(i), true, seed, name + ".mlp" + i));
      width = hidden.get(i);
    }
    if (!hidden.isEmpty()) {
      layers.add(Dense.zero(manager, width, dimension, true));
    }
  }

  List<NamedParameter> parameters(String name) {
    List<NamedParameter> named = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      named.addAll(layers.get(i).parameters(name + ".mlp" + i, NamedParameter.Group.DENSE));
    }
    return named;
  }

  Map<String, Block> blocks() {
    Map<String, Block> blocks = new LinkedHashMap<>();
    for (int i = 0; i < layers.size(); i++) {
      blocks.put("mlp" + i, layers.get(i).block());
    }
    return blocks;
  }

  NDArray apply(ParameterStore values, NDArray input) {
    if (layers.isEmpty()) {
      return input;
    }
    NDArray hidden = input;
    for (int i = 0; i < layers.size() - 1; i++) {
      hidden = Activation.relu(layers.get(i).apply(values, hidden));
    }
    return input.add(layers.get(layers.size() - 1).apply(values, hidden));
  }
}
