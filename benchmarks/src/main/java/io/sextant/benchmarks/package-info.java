/** JMH benchmarks of training and scoring beside their peers. */
@NullMarked
package io.sextant.benchmarks;

import org.jspecify.annotations.NullMarked;
