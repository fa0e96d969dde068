package io.sextant.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values at which a block is evaluated: its own, except where another value was put.
 *
 * <p>Thread safety: belongs to one thread once something was put.
 */
public final class ParameterValues extends ParameterStore {

  private final Map<Parameter, NDArray> substitutes = new IdentityHashMap<>();

  /** Values of blocks whose results belong to this manager. */
  public ParameterValues(NDManager manager) {
    super(manager, false);
  }

  /** Puts a value in the place of the parameter's own, which stays as it is. Returns this. */
  public ParameterValues put(Parameter parameter, NDArray value) {
    substitutes.put(parameter, value);
    return this;
  }

  @Override
  @SuppressWarnings("NullAway") // DJL asks for optional parameters with null and expects null back.
  public NDArray getValue(@Nullable Parameter parameter, Device device, boolean training) {
    if (parameter == null) {
      return null;
    }
    NDArray substitute = substitutes.get(parameter);
    return substitute != null ? substitute : parameter.getArray();
  }
}
