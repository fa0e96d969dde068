package io.sextant.nativeconfig;

/**
 * Something that the doctor found.
 *
 * @param level how bad it is
 * @param code a stable name that scripts may test: {@code spinning-openmp}
 * @param message what is the matter
 * @param mend how to mend it
 */
public record NativeWarning(Level level, String code, String message, String mend) {

  /** How bad a finding is. */
  public enum Level {
    /** Worth knowing; nothing has to be done. */
    NOTE,
    /** It works, but slower or less safely than it could. */
    WARNING,
    /** It will not work. */
    ERROR
  }

  @Override
  public String toString() {
    return level + " " + code + ": " + message + ". " + mend;
  }
}
