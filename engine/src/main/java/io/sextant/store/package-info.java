/** The model bundle: manifest, safetensors, vocabularies, checksums. */
@NullMarked
package io.sextant.store;

import org.jspecify.annotations.NullMarked;
