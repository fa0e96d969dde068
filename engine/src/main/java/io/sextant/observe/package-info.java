/**
 * What a service lets others see of itself: metrics, events of Java Flight Recorder.
 *
 * <p>{@link ServiceMetrics} is the interface that the engine reports to; {@link MicrometerMetrics}
 * adapts it to Micrometer, which is an optional dependency.
 */
@NullMarked
package io.sextant.observe;

import org.jspecify.annotations.NullMarked;
