/** Metrics, protocols and confidence intervals. */
@NullMarked
package io.sextant.eval;

import org.jspecify.annotations.NullMarked;
