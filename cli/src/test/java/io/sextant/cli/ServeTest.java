package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command as a process. */
class ServeTest {

  @TempDir Path folder;

  @Test
  void servesUntilItIsToldToStop() throws Exception {
    Path model = Trained.model(folder);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dai.djl.offline=true",
                "-cp",
                System.getProperty("java.class.path"),
                "io.sextant.cli.Main",
                "serve",
                "--model",
                model.toString(),
                "--device",
                "cpu",
                "--index",
                "graph",
                "--port",
                "0")
            .redirectError(folder.resolve("serve.log").toFile())
            .start();
    try {
      BufferedReader said = process.inputReader();
      String line = said.readLine();
      assertThat(line).startsWith("serving " + model + " at http://127.0.0.1:");
      String url = line.substring(line.indexOf("http://"));
      HttpResponse<String> answer =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(URI.create(url + "v1/recommend"))
                      .POST(HttpRequest.BodyPublishers.ofString("{\"user\": \"u1\"}"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      process.destroy();
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(128 + 15);
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void whatCannotBeServedIsRefused() {
    Cli.Result nothing = Cli.run("serve", "--model", folder.resolve("nothing").toString());
    assertThat(nothing.exit()).isEqualTo(2);
    assertThat(nothing.complaint()).contains("nothing");
    assertThat(Cli.run("serve", "--model", "x", "--port", "99999").exit()).isEqualTo(2);
    Cli.Result index = Cli.run("serve", "--model", "x", "--index", "tree");
    assertThat(index.exit()).isEqualTo(2);
    assertThat(index.err()).containsIgnoringCase("exact, graph, float16, int8");
    assertThat(Cli.run("serve", "--model", "x", "--index", "graph", "--search-width", "0").exit())
        .isEqualTo(2);
    Cli.Result absent = Cli.run("serve", "--model", "x", "--index-devices", "cpu,cuda:99");
    assertThat(absent.exit()).isNotZero();
    assertThat(absent.complaint()).contains("device 'cuda:99' was asked for but");
    Cli.Result graph =
        Cli.run("serve", "--model", "x", "--index", "graph", "--index-devices", "cpu");
    assertThat(graph.exit()).isEqualTo(2);
    assertThat(graph.complaint()).contains("--index-devices is for --index exact");
  }
}
