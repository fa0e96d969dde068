/** The training loop, its objectives, samplers, schedules and checkpoints. */
@NullMarked
package io.sextant.train;

import org.jspecify.annotations.NullMarked;
