package io.sextant.train;

import io.sextant.tensor.Scope;

/**
 * A task whose steps can be taken in parts, one after the other, so that a step's memory is that of
 * a part (accumulation of gradients): the losses of the examples, and so the sum of the parts'
 * gradients, are those of the whole step.
 *
 * <p>For that a part draws what the whole step would, and compares its examples with what the whole
 * step would compare them with: negatives that are shared, and the positives of all parts if they
 * serve as negatives. Rows are counted once in all parts where the whole step counts them once.
 * Dropout of activations alone draws for each part anew.
 *
 * <p>Thread safety: used by one thread at a time.
 *
 * @param <B> its batches
 */
interface DivisibleTask<B extends Batch> extends LearningTask<B> {

  /**
   * Makes a batch of some of a step's examples.
   *
   * @param scope the part's lifetime
   * @param examples all examples of the step; the same array for all of its parts
   * @param from the first of the part
   * @param to behind the last of the part
   * @param step how many steps were made before, over all epochs
   */
  B prepare(Scope scope, int[] examples, int from, int to, long step);
}
