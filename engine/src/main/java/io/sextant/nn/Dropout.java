package io.sextant.nn;

import ai.djl.ndarray.NDArray;

/**
 * Drops activations in training. Who trains decides which: a forward pass stays a pure function of
 * (parameter values, inputs, dropout), and can be repeated at other values with the same drops.
 * Source: Srivastava et al., JMLR 15, 2014.
 */
@FunctionalInterface
public interface Dropout {

  /** Drops nothing: how a model serves. */
  Dropout NONE = (site, activations) -> activations;

  /**
   * The activations with some set to 0 and the others scaled up, so that their mean stays.
   *
   * @param site where in the model, from 0; each site drops others
   * @param activations of any shape
   */
  NDArray apply(int site, NDArray activations);
}
