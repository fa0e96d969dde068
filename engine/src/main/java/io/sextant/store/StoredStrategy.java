package io.sextant.store;

/**
 * One strategy of a bundle. Its tensors can be read until the bundle is closed.
 *
 * <p>Thread safety: safe for many threads at once, see {@link StoredTensors}.
 *
 * @param name unique in its bundle
 * @param type which kind of strategy it is: whoever restores it chooses the class by this
 * @param configJson its configuration, a JSON object as compact text
 * @param numUsers how many users the bundle has, whose dense indices the strategy must know
 * @param numItems how many items the bundle has, whose dense indices the strategy must know
 * @param tensors its weights
 */
public record StoredStrategy(
    String name,
    String type,
    String configJson,
    int numUsers,
    int numItems,
    StoredTensors tensors) {}
