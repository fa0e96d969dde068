package io.sextant.store;

/**
 * The policy of a bundle. Its tensors can be read until the bundle is closed.
 *
 * <p>Thread safety: safe for many threads at once, see {@link StoredTensors}.
 *
 * @param version the version id that goes into every decision and metric
 * @param configJson its configuration, a JSON object as compact text
 * @param tensors its weights
 */
public record StoredPolicy(String version, String configJson, StoredTensors tensors) {}
