package io.sextant.train;

import java.time.Duration;

/**
 * Where training stands.
 *
 * @param epoch from 0
 * @param step steps made, over all epochs
 * @param totalSteps steps of all epochs, if training is not stopped early
 * @param examplesPerSecond over this run so far
 * @param remaining estimate of the time to the last epoch
 */
public record TrainingProgress(
    int epoch, long step, long totalSteps, double examplesPerSecond, Duration remaining) {}
