package io.sextant.store;

import io.sextant.InvalidInputException;
import java.util.List;
import java.util.Map;

/**
 * The verified tensors of one safetensors file. They can be read until what gave them (the file or
 * its bundle) is closed.
 *
 * <p>Thread safety: safe for many threads at once. Interrupting a thread that reads closes the file
 * for all, as is the way of {@link java.nio.channels.FileChannel}.
 */
public interface StoredTensors {

  /** The tensors' specs in the order in which they lie in the file. */
  List<TensorSpec> specs();

  /** Whether there is a tensor of this name. */
  boolean contains(String name);

  /**
   * One tensor.
   *
   * @throws InvalidInputException if there is none of this name; the message lists what there is
   */
  TensorSource tensor(String name);

  /** All tensors in the order of {@link #specs}, for copying them into another file. */
  default List<TensorSource> all() {
    return specs().stream().map(spec -> tensor(spec.name())).toList();
  }

  /** The free text of the file's header, by key. */
  Map<String, String> metadata();
}
