/**
 * Lifetimes, gradients, optimizers, random draws and devices: the only room that creates DJL
 * managers.
 *
 * <p>Letters for shapes, used in all of Sextant: U users, I items, B batch, D width of a vector, K
 * length of a list or number of unique rows, N negatives, L length of a history, F features, R rows
 * of a table, M strategies. Arrays are float32 and indices int64 unless said otherwise.
 *
 * <p>The law of native memory: a {@link io.sextant.tensor.Scope} owns what is created in it and
 * frees it when it closes; who opens a scope closes it; passing an array lends it; {@link
 * io.sextant.tensor.Scope#promote} moves one array one lifetime up. Results leave as Java arrays.
 */
@NullMarked
package io.sextant.tensor;

import org.jspecify.annotations.NullMarked;
