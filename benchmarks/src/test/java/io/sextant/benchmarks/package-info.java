/** The benchmarks at sizes that take seconds: they run, and what they time is right. */
@NullMarked
package io.sextant.benchmarks;

import org.jspecify.annotations.NullMarked;
