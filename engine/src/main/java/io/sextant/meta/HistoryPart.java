package io.sextant.meta;

/**
 * What an item of the user's history adds to a score.
 *
 * @param item dense index
 * @param value signed; of an item that is several times in the history all together
 */
public record HistoryPart(int item, double value) {}
