/** Exact tiled top-k over item vectors. */
@NullMarked
package io.sextant.retrieve;

import org.jspecify.annotations.NullMarked;
