package io.sextant.retrieve;

import io.sextant.tensor.Scope;

/** A way to find the best items. All ways give the same lists, up to the rounding of a product. */
interface Searcher {

  /**
   * Fills the lists of the search.
   *
   * @param scope owns whatever is created on the way
   */
  void search(Search search, Scope scope);
}
