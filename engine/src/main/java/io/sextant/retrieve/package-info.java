/**
 * Exact retrieval: the k best items of the whole catalogue for a batch of users ({@link
 * io.sextant.retrieve.TopK}). Letters: B users at once, I items, D width of a vector, K list
 * length.
 */
@NullMarked
package io.sextant.retrieve;

import org.jspecify.annotations.NullMarked;
