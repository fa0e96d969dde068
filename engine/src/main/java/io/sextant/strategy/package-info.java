/** The base strategies and what they have in common. */
@NullMarked
package io.sextant.strategy;

import org.jspecify.annotations.NullMarked;
