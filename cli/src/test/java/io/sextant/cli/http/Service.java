package io.sextant.cli.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.sextant.observe.MicrometerMetrics;
import io.sextant.serve.Recommender;
import io.sextant.serve.RecommenderOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;

/** A service over a bundle, with a client. */
final class Service implements AutoCloseable {

  static final ObjectMapper JSON = new ObjectMapper();

  final Recommender recommender;
  final HttpService http;
  private final HttpClient client = HttpClient.newHttpClient();

  Service(Path model) {
    this(model, RecommenderOptions.builder());
  }

  Service(Path model, RecommenderOptions.Builder options) {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    recommender =
        Recommender.open(
            model,
            options
                .timeout(Duration.ofSeconds(30))
                .maxNewItems(4)
                .metrics(new MicrometerMetrics(registry))
                .build());
    http =
        HttpService.start(
            model,
            recommender,
            new HttpOptions("127.0.0.1", 0, 40, 64 * 1024, true),
            registry::scrape);
  }

  HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(uri(path)).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
  }

  JsonNode posted(String path, String body) throws IOException, InterruptedException {
    HttpResponse<String> response = post(path, body);
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + ": " + response.body());
    }
    return JSON.readTree(response.body());
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + http.port() + path);
  }

  @Override
  public void close() {
    http.close();
    recommender.close();
  }
}
