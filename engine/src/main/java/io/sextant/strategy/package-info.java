/**
 * The base strategies and what they have in common: a fitted strategy is a function from a user's
 * state to a query, and one vector per item; its score is their inner product.
 */
@NullMarked
package io.sextant.strategy;

import org.jspecify.annotations.NullMarked;
