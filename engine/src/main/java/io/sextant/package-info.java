/**
 * Leaf records and exceptions that every room of the engine may use: events in, ranked lists out.
 * This package uses no other package of Sextant.
 */
@NullMarked
package io.sextant;

import org.jspecify.annotations.NullMarked;
