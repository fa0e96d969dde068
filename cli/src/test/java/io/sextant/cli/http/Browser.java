package io.sextant.cli.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A headless Chromium with one page, by the DevTools protocol. */
final class Browser implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern LISTENING = Pattern.compile("ws://([^/]+)/");
  private static final int SECONDS = 60;

  private final Process process;
  private final WebSocket socket;
  private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
  private int last;

  /** Where Chromium is: {@code SEXTANT_CHROMIUM}, or on the path. */
  static Optional<Path> find() {
    String given = System.getenv("SEXTANT_CHROMIUM");
    if (given != null) {
      return Optional.of(Path.of(given));
    }
    return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .flatMap(
            folder ->
                Stream.of("chromium", "chromium-browser", "google-chrome", "chrome")
                    .map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  Browser(Path chromium, Path profile, String url) throws IOException, InterruptedException {
    process =
        new ProcessBuilder(
                chromium.toString(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                url)
            .redirectErrorStream(true)
            .start();
    try {
      HttpClient client = HttpClient.newHttpClient();
      socket =
          client
              .newWebSocketBuilder()
              .buildAsync(URI.create(page(client, address(), url)), new Listener())
              .join();
    } catch (IOException | InterruptedException | RuntimeException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  private String address() throws IOException {
    BufferedReader lines = process.inputReader();
    String said = "";
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      said += line + "\n";
      Matcher listening = LISTENING.matcher(line);
      if (listening.find()) {
        return listening.group(1);
      }
    }
    throw new IOException("Chromium ended: " + said);
  }

  private static String page(HttpClient client, String address, String url)
      throws IOException, InterruptedException {
    for (int attempt = 0; attempt < SECONDS * 10; attempt++) {
      HttpResponse<String> targets =
          client.send(
              HttpRequest.newBuilder(URI.create("http://" + address + "/json/list")).build(),
              HttpResponse.BodyHandlers.ofString());
      for (JsonNode target : JSON.readTree(targets.body())) {
        if (target.path("url").asText().equals(url)) {
          return target.path("webSocketDebuggerUrl").asText();
        }
      }
      Thread.sleep(100);
    }
    throw new IOException("Chromium did not open " + url);
  }

  /** What a JavaScript expression is. */
  JsonNode evaluate(String expression) throws IOException, InterruptedException {
    int id = ++last;
    socket
        .sendText(
            JSON.writeValueAsString(
                Map.of(
                    "id",
                    id,
                    "method",
                    "Runtime.evaluate",
                    "params",
                    Map.of("expression", expression, "returnByValue", true))),
            true)
        .join();
    while (true) {
      String message = messages.poll(SECONDS, TimeUnit.SECONDS);
      if (message == null) {
        throw new IOException("Chromium does not answer");
      }
      JsonNode answer = JSON.readTree(message);
      if (answer.path("id").asInt() == id) {
        if (answer.path("result").has("exceptionDetails")) {
          throw new AssertionError(answer.path("result").path("exceptionDetails"));
        }
        return answer.path("result").path("result").path("value");
      }
    }
  }

  /** Waits until an expression is true. */
  void await(String expression) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!evaluate(expression).asBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError(
            expression
                + " did not become true; the page says: "
                + evaluate("document.body.innerText").asText());
      }
      Thread.sleep(20);
    }
  }

  /** The texts of all elements of a selector. */
  List<String> texts(String selector) throws IOException, InterruptedException {
    JsonNode texts =
        evaluate("[...document.querySelectorAll('" + selector + "')].map(e => e.textContent)");
    return JSON.convertValue(
        texts, JSON.getTypeFactory().constructCollectionType(List.class, String.class));
  }

  @Override
  public void close() throws InterruptedException {
    socket.abort();
    process.destroy();
    if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder partial = new StringBuilder();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean isLast) {
      partial.append(data);
      if (isLast) {
        messages.add(partial.toString());
        partial.setLength(0);
      }
      from.request(1);
      return null;
    }
  }
}
