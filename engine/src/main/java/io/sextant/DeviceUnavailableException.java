package io.sextant;

/**
 * A device that was asked for by name is not there. There is never a silent fall-back to the CPU.
 */
public final class DeviceUnavailableException extends SextantException {

  private static final long serialVersionUID = 1L;

  public DeviceUnavailableException(String message) {
    super(message);
  }
}
