package io.sextant.cli.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/**
 * A file of the page. There are no others, whatever a path says.
 *
 * @param type of its content
 * @param content as it is sent
 */
record Page(String type, byte[] content) {

  static final Map<String, Page> PAGES =
      Map.of(
          "/", of("index.html", "text/html; charset=utf-8"),
          "/app.js", of("app.js", "text/javascript; charset=utf-8"),
          "/app.css", of("app.css", "text/css; charset=utf-8"));

  private static Page of(String name, String type) {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("resource " + name + " is not in this jar: build it again");
      }
      return new Page(type, in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
