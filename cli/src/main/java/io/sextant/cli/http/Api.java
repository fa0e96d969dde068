package io.sextant.cli.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sextant.ExplainedItem;
import io.sextant.Recommendations;
import io.sextant.ServiceHealth;
import io.sextant.SextantException;
import io.sextant.serve.Recommender;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * What the service does at each path, from JSON to an object that becomes JSON.
 *
 * <p>Thread safety: safe.
 */
final class Api {

  private static final int MAX_DEPTH = 20;

  /** How a path is answered. */
  private sealed interface Route permits Get, Post {}

  private record Get(Function<UnaryOperator<String>, Object> answer) implements Route {}

  private record Post(Function<byte[], Object> answer) implements Route {}

  /**
   * An answer.
   *
   * @param status of HTTP
   * @param body to be written as JSON
   */
  record Answer(int status, Object body) {}

  private final Recommender recommender;
  private final Path model;
  private final ObjectMapper json;
  private final Map<String, Route> routes = new LinkedHashMap<>();
  private volatile Names names;

  /**
   * An API.
   *
   * @param model folder of the bundle
   * @param recommender lent
   */
  Api(Path model, Recommender recommender, HttpOptions options) {
    this.model = model;
    this.recommender = recommender;
    names = Names.of(model);
    json =
        JsonMapper.builder(
                JsonFactory.builder()
                    .streamReadConstraints(
                        StreamReadConstraints.builder()
                            .maxStringLength(options.maxBodyBytes())
                            .maxNestingDepth(MAX_DEPTH)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .build();
    post("/v1/recommend", Requests.Recommend.class, this::recommend);
    post("/v1/explain", Requests.Recommend.class, this::explain);
    post(
        "/v1/similar",
        Requests.Similar.class,
        body -> list(recommender.similarItems(body.request())));
    post("/v1/events", Requests.Happened.class, this::record);
    post("/v1/outcomes", Requests.CameOf.class, this::outcome);
    post("/v1/items", Requests.Added.class, this::add);
    post("/v1/items/available", Requests.Availability.class, this::setAvailable);
    if (options.allowReload()) {
      routes.put("/v1/reload", new Post(body -> reload()));
    }
    routes.put("/v1/users", new Get(query -> names.findUsers(query.apply("query"))));
    routes.put("/v1/items/search", new Get(query -> names.findItems(query.apply("query"))));
    routes.put("/health", new Get(query -> health()));
  }

  private <T> void post(String path, Class<T> type, Function<T, Object> answer) {
    routes.put(path, new Post(body -> answer.apply(parsed(body, type))));
  }

  /**
   * Answers a request.
   *
   * @param query gives the value of a parameter; empty if it is not there
   * @param body read on demand
   * @throws HttpFailure if there is no such path, or not with this method
   */
  Answer answer(String method, String path, UnaryOperator<String> query, Body body)
      throws IOException {
    Route route = routes.get(path);
    if (route == null) {
      throw new HttpFailure(404, "there is no such path; there are " + new TreeSet<>(paths()));
    }
    Object answer;
    if (route instanceof Get get) {
      require(method, "GET");
      answer = get.answer().apply(query);
    } else if (route instanceof Post post) {
      require(method, "POST");
      answer = post.answer().apply(body.read());
    } else {
      throw new AssertionError(route);
    }
    return answer instanceof Answer whole ? whole : new Answer(200, answer);
  }

  /** Gives the bytes of a body. */
  interface Body {
    byte[] read() throws IOException;
  }

  Set<String> paths() {
    return routes.keySet();
  }

  byte[] written(Object answer) throws IOException {
    return json.writeValueAsBytes(answer);
  }

  private static void require(String method, String wanted) {
    if (!method.equals(wanted)) {
      throw new HttpFailure(405, "the method must be " + wanted);
    }
  }

  private <T> T parsed(byte[] body, Class<T> type) {
    try {
      T parsed = json.readValue(body, type);
      if (parsed == null) {
        throw new HttpFailure(400, "the body must be a JSON object");
      }
      return parsed;
    } catch (UnrecognizedPropertyException e) {
      throw new HttpFailure(
          400,
          "unknown field \"%s\"; known: %s"
              .formatted(shortened(e.getPropertyName()), e.getKnownPropertyIds()));
    } catch (MismatchedInputException e) {
      String field =
          e.getPath().stream()
              .map(part -> part.getFieldName() == null ? "[]" : part.getFieldName())
              .collect(Collectors.joining("."));
      throw new HttpFailure(
          400,
          "the body is not the JSON that is asked for: %s is of another kind"
              .formatted(field.isEmpty() ? "it" : '"' + field + '"'));
    } catch (JsonProcessingException e) {
      throw new HttpFailure(
          400, "the body is not the JSON that is asked for: " + shortened(e.getOriginalMessage()));
    } catch (IOException e) {
      throw new HttpFailure(400, "the body cannot be read");
    }
  }

  private static String shortened(String text) {
    return text.length() <= 200 ? text : text.substring(0, 200) + "...";
  }

  private Object recommend(Requests.Recommend body) {
    return list(recommender.recommend(body.request()));
  }

  private Object list(Recommendations list) {
    Names known = names;
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("modelVersion", list.modelVersion());
    if (list.decisionId() != null) {
      answer.put("decisionId", list.decisionId());
    }
    answer.put(
        "items",
        list.items().stream()
            .map(
                item -> {
                  Map<String, Object> entry = new LinkedHashMap<>();
                  entry.put("id", item.itemId());
                  entry.put("title", known.title(item.itemId()));
                  entry.put("score", item.score());
                  if (!item.parts().isEmpty()) {
                    entry.put("parts", item.parts());
                  }
                  return entry;
                })
            .toList());
    return answer;
  }

  private Object explain(Requests.Recommend body) {
    Names known = names;
    List<ExplainedItem> explained = recommender.explain(body.request());
    return Map.of(
        "items",
        explained.stream()
            .map(
                item -> {
                  Map<String, Object> entry = new LinkedHashMap<>();
                  entry.put("id", item.itemId());
                  entry.put("title", known.title(item.itemId()));
                  entry.put("score", item.score());
                  entry.put("sentence", item.sentence());
                  entry.put("bias", item.bias());
                  entry.put("reasons", item.reasons());
                  return entry;
                })
            .toList());
  }

  private Object record(Requests.Happened body) {
    recommender.recordEvent(
        Requests.required("user", body.user()), Requests.required("item", body.item()));
    return Map.of("recorded", true);
  }

  /** Answers when the outcome is durable. */
  private Object outcome(Requests.CameOf body) {
    try {
      recommender.outcome(body.outcome(System.currentTimeMillis())).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof SextantException failure ? failure : e;
    }
    return Map.of("recorded", true);
  }

  private Object add(Requests.Added body) {
    recommender.addItem(body.newItem());
    return Map.of("added", true);
  }

  private Object setAvailable(Requests.Availability body) {
    recommender.setAvailable(
        Requests.required("item", body.item()), Requests.required("available", body.available()));
    return Map.of("changed", true);
  }

  private Object reload() {
    String version = recommender.swap(model);
    names = Names.of(model);
    return Map.of("modelVersion", version);
  }

  private Answer health() {
    ServiceHealth health = recommender.health();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("status", health.status());
    body.put("detail", health.detail());
    body.put("modelVersion", health.modelVersion());
    body.put("servingSince", health.servingSince().toString());
    body.put("queueDepth", health.queueDepth());
    return new Answer(health.status() == ServiceHealth.Status.DOWN ? 503 : 200, body);
  }
}
