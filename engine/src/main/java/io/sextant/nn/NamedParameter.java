package io.sextant.nn;

import ai.djl.nn.Parameter;

/**
 * A parameter with the name under which it is saved, and with what the optimizer must know of it.
 *
 * @param name unique within a model and stable over versions, as {@code item.id}
 * @param parameter DJL's parameter
 * @param table whether it is an embedding table (R, D) whose rows are updated one by one
 * @param group whose learning rate it follows
 */
public record NamedParameter(String name, Parameter parameter, boolean table, Group group) {

  /** The three groups with a learning rate of their own: alpha_u, alpha_i and alpha. */
  public enum Group {
    USER,
    ITEM,
    DENSE
  }

  static NamedParameter table(String name, EmbeddingTable table, Group group) {
    return new NamedParameter(name, table.weight(), true, group);
  }

  static NamedParameter dense(String name, Parameter parameter, Group group) {
    return new NamedParameter(name, parameter, false, group);
  }
}
