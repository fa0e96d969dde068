/** The sextant command. */
@NullMarked
package io.sextant.cli;

import org.jspecify.annotations.NullMarked;
