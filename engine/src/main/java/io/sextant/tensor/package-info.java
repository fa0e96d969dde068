/**
 * Lifetimes, gradients, optimizers, random draws and devices: the only room that creates DJL
 * managers.
 */
@NullMarked
package io.sextant.tensor;

import org.jspecify.annotations.NullMarked;
