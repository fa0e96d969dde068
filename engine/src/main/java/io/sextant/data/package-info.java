/** From raw events to cleaned, dense, time-ordered interactions and their splits. */
@NullMarked
package io.sextant.data;

import org.jspecify.annotations.NullMarked;
