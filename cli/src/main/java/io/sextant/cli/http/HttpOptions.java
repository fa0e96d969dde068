package io.sextant.cli.http;

import io.sextant.InvalidInputException;

/**
 * How the service listens.
 *
 * @param host name or address of the interface
 * @param port 0 for any that is free
 * @param threads how many requests are read, awaited and answered at the same time; further ones
 *     are cut off
 * @param maxBodyBytes longer bodies are refused
 * @param allowReload whether {@code POST /v1/reload} loads the bundle's folder again
 */
public record HttpOptions(
    String host, int port, int threads, int maxBodyBytes, boolean allowReload) {

  /** On this machine only, 1024 threads, bodies of up to 64 KiB. */
  public static final HttpOptions LOCAL = new HttpOptions("127.0.0.1", 0, 1024, 64 * 1024, false);

  public HttpOptions {
    if (port < 0 || port > 65535) {
      throw new InvalidInputException("port must lie in 0..65535 but was " + port);
    }
    if (threads < 1) {
      throw new InvalidInputException("threads must be >= 1 but was " + threads);
    }
    if (maxBodyBytes < 1) {
      throw new InvalidInputException("maxBodyBytes must be >= 1 but was " + maxBodyBytes);
    }
  }
}
