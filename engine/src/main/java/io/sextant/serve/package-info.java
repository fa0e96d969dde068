/** The facade that a service holds. */
@NullMarked
package io.sextant.serve;

import org.jspecify.annotations.NullMarked;
