package io.sextant;

/**
 * A device has too little free memory for even the smallest piece of the work. It may work later,
 * or with less at once.
 */
public final class DeviceMemoryException extends SextantException {

  private static final long serialVersionUID = 1L;

  public DeviceMemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}
