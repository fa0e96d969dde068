/**
 * The training loop and its parts: tasks, objectives, samplers, schedules, early stopping,
 * checkpoints, listeners and the hooks through which a policy steers training.
 */
@NullMarked
package io.sextant.train;

import org.jspecify.annotations.NullMarked;
