package io.sextant.data;

/**
 * What a cleaning run gives.
 *
 * @param interactions the events that are left
 * @param report what was removed, and why
 */
public record CleaningResult(Interactions interactions, CleaningReport report) {}
