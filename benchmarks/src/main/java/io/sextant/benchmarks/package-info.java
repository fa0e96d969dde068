/** Training and scoring measured beside their peers. */
@NullMarked
package io.sextant.benchmarks;

import org.jspecify.annotations.NullMarked;
