/** Which libtorch is loaded and how: flavours, threads, allocator, flags. */
@NullMarked
package io.sextant.nativeconfig;

import org.jspecify.annotations.NullMarked;
