/** The DJL blocks of which models are built. */
@NullMarked
package io.sextant.nn;

import org.jspecify.annotations.NullMarked;
