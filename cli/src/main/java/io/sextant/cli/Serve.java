package io.sextant.cli;

import ai.djl.Device;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.sextant.InvalidInputException;
import io.sextant.cli.http.HttpOptions;
import io.sextant.cli.http.HttpService;
import io.sextant.feedback.DecisionLog;
import io.sextant.feedback.SqliteDecisionLog;
import io.sextant.observe.MicrometerMetrics;
import io.sextant.serve.DecisionLogging;
import io.sextant.serve.Recommender;
import io.sextant.serve.RecommenderOptions;
import io.sextant.tensor.Devices;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** An example service around the embedded engine: JSON over HTTP, and a page to try it in. */
@Command(name = "serve", description = "Serves a bundle over HTTP.")
final class Serve implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--model", required = true, description = "folder of the bundle")
  private Path model = Path.of("");

  @Option(names = "--port", description = "0: any that is free (default: ${DEFAULT-VALUE})")
  private int port = 8080;

  @Option(
      names = "--host",
      description = "interface to listen at (default: ${DEFAULT-VALUE}, this machine only)")
  private String host = HttpOptions.LOCAL.host();

  @Option(names = "--strategy", description = "one strategy of the bundle; default: its policy")
  private @Nullable String strategy;

  @Option(
      names = "--index",
      description = {
        "how items are searched: exact, graph, float16 or int8; graph finds nearly all of the best and is",
        "for large catalogues, float16 and int8 find all with less memory (default: exact)"
      })
  private ServeIndex index = ServeIndex.EXACT;

  @Option(
      names = "--index-devices",
      split = ",",
      description = {
        "devices over which the items are spread, as cuda:0,cuda:1, each searching its part; for --index",
        "exact, float16 and int8 (default: all items are where --device is)"
      })
  private List<String> indexDevices = List.of();

  @Option(
      names = "--search-width",
      description =
          "of --index graph: wider finds more and takes longer (default: ${DEFAULT-VALUE})")
  private int searchWidth = 200;

  @Option(
      names = "--timeout-ms",
      description = "of requests that give none (default: ${DEFAULT-VALUE})")
  private int timeoutMillis = 1000;

  @Option(
      names = "--http-threads",
      description = "requests answered at the same time (default: ${DEFAULT-VALUE})")
  private int httpThreads = HttpOptions.LOCAL.threads();

  @Option(
      names = "--queue",
      description = {
        "requests that may wait to be computed; more are answered 429 (default: half of",
        "--http-threads, so that there is always a thread to say so)"
      })
  private @Nullable Integer queue;

  @Option(
      names = "--max-body",
      description = "bytes of a request's body (default: ${DEFAULT-VALUE})")
  private int maxBody = HttpOptions.LOCAL.maxBodyBytes();

  @Option(
      names = "--allow-reload",
      description = "POST /v1/reload loads the bundle's folder again, by whoever asks")
  private boolean allowReload;

  @Option(names = "--log", description = "file of the log of decisions; default: none is kept")
  private @Nullable Path log;

  @Option(
      names = "--explore",
      description = {
        "the temperature at which logged lists are drawn, in units of the scores; 0: lists are",
        "logged as they are ranked (default: ${DEFAULT-VALUE})"
      })
  private double explore;

  @Override
  public Integer call() throws InterruptedException {
    Device device = common.device();
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    RecommenderOptions.Builder options =
        RecommenderOptions.builder()
            .device(Devices.name(device))
            .strategy(strategy)
            .index(index.builder(searchWidth, indexDevices))
            .queueCapacity(queue == null ? Math.max(1, httpThreads / 2) : queue)
            .timeout(Duration.ofMillis(timeoutMillis))
            .metrics(new MicrometerMetrics(registry));
    HttpOptions http = new HttpOptions(host, port, httpThreads, maxBody, allowReload);
    CountDownLatch stopped = new CountDownLatch(1);
    if (explore < 0) {
      throw new InvalidInputException("--explore must be >= 0 but was " + explore);
    }
    Path file = log;
    try (DecisionLog decisions = file == null ? null : SqliteDecisionLog.open(file);
        Recommender recommender = Recommender.open(model, with(options, decisions).build());
        HttpService service = HttpService.start(model, recommender, http, registry::scrape)) {
      Thread stop =
          new Thread(() -> close(service, recommender, decisions, stopped), "sextant-stop");
      Runtime.getRuntime().addShutdownHook(stop);
      System.out.println("serving " + model + " at " + service.url());
      System.out.flush();
      stopped.await();
    }
    return 0;
  }

  private RecommenderOptions.Builder with(
      RecommenderOptions.Builder options, @Nullable DecisionLog decisions) {
    if (decisions == null) {
      return options;
    }
    return options.decisions(
        explore == 0
            ? DecisionLogging.greedy(decisions)
            : DecisionLogging.stratified(decisions, explore));
  }

  /** Requests that are under way are answered before the process ends. */
  private static void close(
      HttpService service,
      Recommender recommender,
      @Nullable DecisionLog decisions,
      CountDownLatch stopped) {
    service.close();
    recommender.close();
    if (decisions != null) {
      decisions.close();
    }
    stopped.countDown();
  }
}
