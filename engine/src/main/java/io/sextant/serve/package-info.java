/**
 * The facade that a service holds: {@link Recommender}. No signature here knows a tensor.
 *
 * <p>Letters as everywhere: I items, B batch, K list length. A <em>place</em> is an item's number
 * in one model: 0 to I - 1 for those of the bundle, then those that were added.
 */
@NullMarked
package io.sextant.serve;

import org.jspecify.annotations.NullMarked;
