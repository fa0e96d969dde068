package io.sextant.cli.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.sextant.EventType;
import io.sextant.RecommendationRequest;
import io.sextant.cli.Trained;
import io.sextant.feedback.DecisionLog;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.SqliteDecisionLog;
import io.sextant.serve.DecisionLogging;
import io.sextant.serve.RecommenderOptions;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpServiceTest {

  @TempDir static Path folder;

  private static Service service;

  @BeforeAll
  static void start() throws Exception {
    // Read once by the JDK's server, before the first one starts.
    System.setProperty("sun.net.httpserver.maxReqTime", "2");
    service = new Service(Trained.model(folder));
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static List<String> ids(JsonNode answer) {
    List<String> ids = new ArrayList<>();
    answer.path("items").forEach(item -> ids.add(item.path("id").asText()));
    return ids;
  }

  @Test
  void answersAsTheRecommenderDoes() throws Exception {
    JsonNode answer =
        service.posted("/v1/recommend", "{\"user\": \"u1\", \"k\": 5, \"parts\": true}");
    assertThat(answer.path("modelVersion").asText()).isEqualTo(service.recommender.modelVersion());
    assertThat(ids(answer))
        .hasSize(5)
        .isEqualTo(
            service
                .recommender
                .recommend(RecommendationRequest.forUser("u1").k(5).build())
                .itemIds());
    JsonNode first = answer.path("items").path(0);
    double sum = 0;
    for (JsonNode part : first.path("parts")) {
      sum += part.asDouble();
    }
    assertThat(sum).isCloseTo(first.path("score").asDouble(), within(1e-4));
    assertThat(ids(service.posted("/v1/similar", "{\"item\": \"i3\", \"k\": 4}")))
        .hasSize(4)
        .doesNotContain("i3");
  }

  @Test
  void whatCameOfADecisionIsLogged() throws Exception {
    assertThat(service.posted("/v1/recommend", "{\"user\": \"u1\"}").has("decisionId")).isFalse();
    String click = "{\"decision\": \"%s\", \"item\": \"%s\", \"type\": \"%s\"}";
    assertThat(service.post("/v1/outcomes", click.formatted("d", "i", "click")).body())
        .contains("needs a log");
    try (DecisionLog log = SqliteDecisionLog.open(folder.resolve("decisions"));
        Service logged =
            new Service(
                folder.resolve("model"),
                RecommenderOptions.builder().decisions(DecisionLogging.stratified(log, 0.1)))) {
      JsonNode answer = logged.posted("/v1/recommend", "{\"user\": \"u1\", \"k\": 3}");
      String id = answer.path("decisionId").asText();
      String item = ids(answer).get(1);
      logged.posted("/v1/outcomes", click.formatted(id, item, "buy"));
      assertThat(logged.post("/v1/outcomes", click.formatted(id, item, "sneeze")).statusCode())
          .isEqualTo(400);
      assertThat(
              logged
                  .posted("/v1/recommend", "{\"user\": \"u1\", \"log\": false}")
                  .has("decisionId"))
          .isFalse();
      assertThat(logged.get("/metrics").body())
          .contains("sextant_decisions_total{result=\"logged\"} 1.0");
      List<LoggedDecision> all = new ArrayList<>();
      log.read(0, Long.MAX_VALUE, all::add);
      assertThat(all).hasSize(1);
      assertThat(all.get(0).decision().userId()).isEqualTo("u1");
      assertThat(all.get(0).outcomes().get(0).type()).isEqualTo(EventType.PURCHASE);
      assertThat(all.get(0).outcomes().get(0).itemId()).isEqualTo(item);
    }
  }

  @Test
  void explainsWithASentenceAndReasonsThatAddUp() throws Exception {
    JsonNode answer = service.posted("/v1/explain", "{\"history\": [\"i3\", \"i4\"], \"k\": 3}");
    assertThat(answer.path("items")).hasSize(3);
    for (JsonNode item : answer.path("items")) {
      double sum = item.path("bias").asDouble();
      for (JsonNode reason : item.path("reasons")) {
        sum += reason.path("value").asDouble();
      }
      assertThat(sum).isCloseTo(item.path("score").asDouble(), within(1e-4));
      assertThat(item.path("sentence").asText()).endsWith(".");
    }
  }

  @Test
  void anEventChangesTheNextList() throws Exception {
    String request = "{\"user\": \"someone new\", \"k\": 5}";
    String first = ids(service.posted("/v1/recommend", request)).get(0);
    service.posted("/v1/events", "{\"user\": \"someone new\", \"item\": \"" + first + "\"}");
    assertThat(ids(service.posted("/v1/recommend", request))).doesNotContain(first);
    assertThat(service.get("/metrics").body()).contains("sextant_events_total", "outcome=");
  }

  @Test
  void itemsCanBeSwitchedOffAndAddedAndListsBounded() throws Exception {
    String request = "{\"user\": \"u7\", \"k\": 25, \"includeSeen\": true}";
    assertThat(ids(service.posted("/v1/recommend", request))).contains("i9");
    service.posted("/v1/items/available", "{\"item\": \"i9\", \"available\": false}");
    assertThat(ids(service.posted("/v1/recommend", request))).doesNotContain("i9");
    service.posted("/v1/items/available", "{\"item\": \"i9\", \"available\": true}");
    assertThat(ids(service.posted("/v1/recommend", request))).contains("i9");
    service.posted("/v1/items", "{\"item\": \"fresh\", \"like\": [\"i9\"]}");
    String among = "{\"user\": \"u7\", \"allow\": [\"fresh\", \"i9\"], \"includeSeen\": true}";
    assertThat(ids(service.posted("/v1/recommend", among))).containsOnly("fresh", "i9");
    String without = "{\"user\": \"u7\", \"k\": 25, \"includeSeen\": true, \"deny\": [\"i9\"]}";
    assertThat(ids(service.posted("/v1/recommend", without))).doesNotContain("i9").hasSize(25);
  }

  @Test
  void badRequestsAreAnsweredWithWhatIsWrong() throws Exception {
    for (Map.Entry<String, String> wrong :
        Map.of(
                "no json", "JSON",
                "[1]", "JSON",
                "null", "JSON object",
                "{\"user\": \"u1\"} {}", "JSON",
                "{\"user\": \"u1\", \"kk\": 3}", "\"kk\"",
                "{\"user\": \"u1\", \"k\": -1}", "k must be >= 1",
                "{\"user\": \"u1\", \"k\": 1000000000}", "k must be <=",
                "{\"user\": \"u1\", \"k\": 1e99}", "JSON",
                "{}", "for whom",
                "{\"user\": \"u1\", \"filters\": [{\"values\": []}]}", "attribute")
            .entrySet()) {
      HttpResponse<String> response = service.post("/v1/recommend", wrong.getKey());
      assertRefused(response, 400);
      assertThat(response.body())
          .as(wrong.getKey())
          .contains(wrong.getValue().replace("\"", "\\\""));
    }
    String nested = "[".repeat(3000);
    assertRefused(service.post("/v1/recommend", "{\"history\": " + nested), 400);
    String longId = "x".repeat(60_000);
    assertRefused(
        service.post("/v1/events", "{\"user\": \"" + longId + "\", \"item\": \"i1\"}"), 400);
    assertRefused(service.post("/v1/events", "{\"user\": \"u1\"}"), 400);
    assertRefused(service.post("/v1/similar", "{\"item\": \"nothing\"}"), 400);
    assertRefused(service.post("/v1/recommend", "x".repeat(1 << 20)), 413);
    assertRefused(service.get("/v1/recommend"), 405);
    for (String path :
        List.of("/nothing", "/app.js/../../secret", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd")) {
      assertRefused(service.get(path), 404);
    }
    assertThat(service.post("/v1/recommend", "{\"user\": \"u1\"}").statusCode()).isEqualTo(200);
  }

  private static void assertRefused(HttpResponse<String> response, int status) throws Exception {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(Service.JSON.readTree(response.body()).path("error").asText()).isNotBlank();
    assertThat(response.body()).doesNotContain("Exception", "io.sextant", "\\tat ");
    assertThat(response.body().length()).isLessThan(1000);
  }

  /** 100 MB: the service stops to read after 64 KiB, and the client has to put up with that. */
  @Test
  void aHugeBodyIsNotRead() throws Exception {
    try (Socket socket = new Socket("127.0.0.1", service.http.port())) {
      OutputStream out = socket.getOutputStream();
      out.write(
          "POST /v1/recommend HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
      out.flush();
      InputStream in = socket.getInputStream();
      String status = new String(in.readNBytes(12), StandardCharsets.US_ASCII);
      assertThat(status).isEqualTo("HTTP/1.1 413");
    }
  }

  @Test
  void slowClientsAreCutOffAndHarmNobody() throws Exception {
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 20; i++) {
        Socket socket = new Socket("127.0.0.1", service.http.port());
        slow.add(socket);
        String body = i % 2 == 0 ? "" : "\r\nContent-Length: 500\r\n\r\n{";
        socket
            .getOutputStream()
            .write(
                ("POST /v1/recommend HTTP/1.1\r\nHost: x" + body)
                    .getBytes(StandardCharsets.US_ASCII));
      }
      JsonNode answer = service.posted("/v1/recommend", "{\"user\": \"u2\"}");
      assertThat(ids(answer)).hasSize(10);
      for (Socket socket : slow) {
        socket.setSoTimeout(60_000);
        // Closed, with or without an answer; a timeout fails the test.
        try (InputStream in = socket.getInputStream()) {
          while (in.read() >= 0) {
            assertThat(socket.isClosed()).isFalse();
          }
        } catch (SocketException reset) {
          assertThat(reset).hasMessageContaining("reset");
        }
      }
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  @Test
  void reloadsTheBundleAndTellsHowItIs() throws Exception {
    JsonNode health = Service.JSON.readTree(service.get("/health").body());
    assertThat(health.path("status").asText()).isEqualTo("UP");
    assertThat(service.posted("/v1/reload", "").path("modelVersion").asText())
        .isEqualTo(health.path("modelVersion").asText());
    assertThat(service.get("/v1/users?query=u1").body()).contains("\"u1\"", "\"u10\"");
    assertThat(service.get("/v1/items/search?query=i1").body()).contains("\"i1\"");
  }
}
