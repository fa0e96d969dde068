/**
 * What the tests of every module share: tags that skip with a reason, and a list of the skipped.
 */
@NullMarked
package io.sextant.nativeconfig.testing;

import org.jspecify.annotations.NullMarked;
