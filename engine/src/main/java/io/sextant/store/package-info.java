/**
 * The model bundle: manifest, safetensors, vocabularies, checksums.
 *
 * <p>A bundle is one directory. It is written whole or not at all ({@link
 * io.sextant.store.BundleWriter}), and it is verified whole before anything of it is given out
 * ({@link io.sextant.store.ModelBundle}). Tensors travel as {@link io.sextant.store.TensorSource}s,
 * in chunks of rows, so that no tensor has to fit into the heap. Nothing here touches native code.
 */
@NullMarked
package io.sextant.store;

import org.jspecify.annotations.NullMarked;
