package io.sextant.nativeconfig;

/**
 * The native libraries cannot be used as configured. The message names the variable, the folder or
 * the jar at fault and says how to mend it; nothing native has been loaded.
 */
public final class NativeConfigException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public NativeConfigException(String message) {
    super(message);
  }

  public NativeConfigException(String message, Throwable cause) {
    super(message, cause);
  }
}
