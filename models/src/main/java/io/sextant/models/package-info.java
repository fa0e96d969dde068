/** Recipes, model cards and the bundled sample, by name. */
@NullMarked
package io.sextant.models;

import org.jspecify.annotations.NullMarked;
