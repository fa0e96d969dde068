package io.sextant.cli.http;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.sextant.DeadlineExceededException;
import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.RecommenderClosedException;
import io.sextant.serve.Recommender;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A recommender over HTTP: the paths of {@link Api}, {@code /metrics}, and a page at {@code /}.
 *
 * <p>Every failure is a status and one JSON object {@code {"error": "..."}}, never a stack trace:
 * 400 what cannot be understood, 404, 405, 413 a body that is too long, 429 overload (with {@code
 * Retry-After}), 504 no answer in time, 503 closed, 500 anything else, which is logged. A client
 * that sends or reads too slowly is cut off.
 *
 * <p>Thread safety: safe.
 */
public final class HttpService implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(HttpService.class);

  private static final int BACKLOG = 512;

  /** So much of a body that is too long is read, so that its client gets to read why it failed. */
  private static final long MOST_DISCARDED = 4L << 20;

  static {
    // Seconds that a client may take to send a request and to read the answer. The server of the
    // JDK reads them once.
    propose("sun.net.httpserver.maxReqTime", "10");
    propose("sun.net.httpserver.maxRspTime", "30");
    propose("jdk.httpserver.maxConnections", "2000");
    // Of more than these each answer would end its connection.
    propose("sun.net.httpserver.maxIdleConnections", "2000");
    // Without it each small answer waits for the client's delayed acknowledgement.
    propose("sun.net.httpserver.nodelay", "true");
  }

  private final HttpServer server;
  private final ExecutorService threads;
  private final Api api;
  private final HttpOptions options;
  private final Supplier<String> metrics;

  private HttpService(
      HttpServer server,
      ExecutorService threads,
      Api api,
      HttpOptions options,
      Supplier<String> metrics) {
    this.server = server;
    this.threads = threads;
    this.api = api;
    this.options = options;
    this.metrics = metrics;
  }

  private static void propose(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /**
   * Starts to listen.
   *
   * @param model folder of the bundle that the recommender serves
   * @param recommender lent: to be closed after this
   * @param metrics gives the text of {@code /metrics}
   * @throws InvalidInputException if the port cannot be had
   */
  public static HttpService start(
      Path model, Recommender recommender, HttpOptions options, Supplier<String> metrics) {
    Api api = new Api(model, recommender, options);
    HttpServer server;
    try {
      server = HttpServer.create(new InetSocketAddress(options.host(), options.port()), BACKLOG);
    } catch (IOException | IllegalArgumentException e) {
      throw new InvalidInputException(
          "cannot listen at %s, port %d: %s; choose another --port or --host"
              .formatted(options.host(), options.port(), e.getMessage()),
          e);
    }
    AtomicInteger count = new AtomicInteger();
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            0,
            options.threads(),
            60,
            TimeUnit.SECONDS,
            // Nobody waits for a thread: a slow client takes its own and no other's time.
            new SynchronousQueue<>(),
            task -> {
              Thread thread = new Thread(task, "sextant-http-" + count.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    HttpService service = new HttpService(server, threads, api, options, metrics);
    server.setExecutor(threads);
    server.createContext("/", service::handle);
    server.start();
    return service;
  }

  /** The port on which it listens. */
  public int port() {
    return server.getAddress().getPort();
  }

  /** Where the page is. */
  public String url() {
    return "http://%s:%d/".formatted(options.host(), port());
  }

  private void handle(HttpExchange exchange) {
    try (exchange) {
      try {
        answer(exchange);
      } catch (HttpFailure e) {
        fail(exchange, e.status(), String.valueOf(e.getMessage()));
      } catch (InvalidInputException e) {
        fail(exchange, 400, String.valueOf(e.getMessage()));
      } catch (OverloadedException e) {
        long seconds = Math.max(1, e.retryAfter().plusMillis(999).toSeconds());
        exchange.getResponseHeaders().set("Retry-After", Long.toString(seconds));
        fail(exchange, 429, String.valueOf(e.getMessage()));
      } catch (DeadlineExceededException e) {
        fail(exchange, 504, String.valueOf(e.getMessage()));
      } catch (RecommenderClosedException e) {
        fail(exchange, 503, String.valueOf(e.getMessage()));
      } catch (RuntimeException e) {
        LOG.error("{} failed", exchange.getRequestURI().getPath(), e);
        fail(exchange, 500, "the request failed; the service's log says why");
      }
    } catch (IOException e) {
      // The client is gone, or was cut off.
      LOG.debug("no answer could be given: {}", e.toString());
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String method = exchange.getRequestMethod();
    if (path.equals("/metrics") && method.equals("GET")) {
      send(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", bytes(metrics.get()));
      return;
    }
    Page page = Page.PAGES.get(path);
    if (page != null && method.equals("GET")) {
      exchange
          .getResponseHeaders()
          .set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'");
      send(exchange, 200, page.type(), page.content());
      return;
    }
    Api.Answer answer =
        api.answer(
            method,
            path,
            name -> parameter(exchange.getRequestURI().getRawQuery(), name),
            () -> body(exchange));
    send(exchange, answer.status(), "application/json", api.written(answer.body()));
  }

  private static String parameter(String query, String name) {
    if (query != null) {
      for (String part : query.split("&")) {
        int equals = part.indexOf('=');
        if (equals > 0 && part.substring(0, equals).equals(name)) {
          try {
            return URLDecoder.decode(part.substring(equals + 1), StandardCharsets.UTF_8);
          } catch (IllegalArgumentException e) {
            throw new HttpFailure(400, "parameter \"" + name + "\" is not URL-encoded");
          }
        }
      }
    }
    return "";
  }

  private byte[] body(HttpExchange exchange) throws IOException {
    String length = exchange.getRequestHeaders().getFirst("Content-Length");
    if (length != null && Long.parseLong(length) > MOST_DISCARDED) {
      throw tooLong();
    }
    try (InputStream in = exchange.getRequestBody()) {
      byte[] body = in.readNBytes(options.maxBodyBytes());
      // A client that still sends when the connection is closed may not see the answer.
      long more = 0;
      byte[] discarded = new byte[8192];
      for (int n = in.read(discarded); n >= 0 && more < MOST_DISCARDED; n = in.read(discarded)) {
        more += n;
      }
      if (more > 0) {
        throw tooLong();
      }
      return body;
    }
  }

  private HttpFailure tooLong() {
    return new HttpFailure(
        413, "the body has more than %d bytes".formatted(options.maxBodyBytes()));
  }

  private void fail(HttpExchange exchange, int status, String message) throws IOException {
    if (status == 413) {
      // What the client still sends is not read.
      exchange.getResponseHeaders().set("Connection", "close");
    }
    send(exchange, status, "application/json", api.written(Map.of("error", message)));
  }

  private static void send(HttpExchange exchange, int status, String type, byte[] content)
      throws IOException {
    Headers headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(status, content.length == 0 ? -1 : content.length);
    OutputStream body = exchange.getResponseBody();
    body.write(content);
    // Newer JDKs send it when the exchange ends, after they have waited for the rest of the
    // request.
    body.flush();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Takes no more requests and waits a moment for those that are being answered. */
  @Override
  public void close() {
    server.stop(1);
    threads.shutdownNow();
  }
}
