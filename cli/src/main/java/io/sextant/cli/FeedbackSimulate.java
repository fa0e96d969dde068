package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.feedback.StratifiedSampler;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The closed loop against a simulator: see {@link FeedbackLoop}. */
@Command(
    name = "simulate",
    description = "The closed loop of serving, learning and promotion where the truth is known.")
final class FeedbackSimulate implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(
      names = "--world",
      description = "jester (ratings of --data) or clicks (made up) (default: ${DEFAULT-VALUE})")
  private String world = "jester";

  @Option(names = "--data", description = "the folder jester5k")
  private @Nullable Path data;

  @Option(names = "--rounds", description = "rounds (default: ${DEFAULT-VALUE})")
  private int rounds = 10;

  @Option(names = "--decisions", description = "decisions of a round (default: ${DEFAULT-VALUE})")
  private int decisions = 500;

  @Option(names = "--seeds", description = "runs, from --seed on (default: ${DEFAULT-VALUE})")
  private int seeds = 1;

  @Option(
      names = "--planted",
      description = {
        "worse and better candidates that the gate is tried on, of each kind in all; 0 for none",
        "(default: ${DEFAULT-VALUE})"
      })
  private int planted = 500;

  @Option(
      names = "--fault-every",
      description = "the learner is broken in every so manieth round (default: ${DEFAULT-VALUE})")
  private int faultEvery = 4;

  @Option(
      names = "--temperature",
      description = "of exploration, in units of the scores; default: fit for the world")
  private @Nullable Double temperature;

  @Option(
      names = "--epsilon",
      description = "share of draws that ignore scores; default: fit for the world")
  private @Nullable Double epsilon;

  @Option(
      names = "--position-bias",
      description = "clicks: slot l is examined with 1 / (l + 1)^this (default: ${DEFAULT-VALUE})")
  private double positionBias = 1;

  @Option(
      names = "--drift",
      description =
          "clicks: how far log odds of items wander in a round (default: ${DEFAULT-VALUE})")
  private double drift = 0.1;

  @Option(
      names = "--delay",
      description = "clicks: mean days from click to purchase (default: ${DEFAULT-VALUE})")
  private double delay = 0.25;

  @Option(
      names = "--missing",
      description = "clicks: share of outcomes that are lost (default: ${DEFAULT-VALUE})")
  private double missing = 0.1;

  /** Runs with the gate and without it, and what the gate made of planted candidates. */
  private record Seed(
      FeedbackLoop.Run gated, FeedbackLoop.Run ungated, GateTrial.@Nullable Result trial) {}

  @Override
  public Integer call() {
    String device = common.host();
    if (rounds < 1 || decisions < 1 || seeds < 1 || planted < 0 || faultEvery < 0) {
      throw new InvalidInputException(
          "--rounds, --decisions and --seeds must be > 0, --planted and --fault-every >= 0");
    }
    LongFunction<SimulatedWorld> worlds = worlds();
    StratifiedSampler exploration = exploration(worlds.apply(common.seed()));
    List<Seed> runs;
    try (Progress progress = new Progress("simulating", "runs", 0, seeds)) {
      AtomicInteger done = new AtomicInteger();
      runs =
          LongStream.range(common.seed(), common.seed() + seeds)
              .parallel()
              .mapToObj(
                  seed -> {
                    Seed run = run(worlds.apply(seed), exploration, seed);
                    synchronized (progress) {
                      progress.to(done.incrementAndGet());
                    }
                    return run;
                  })
              .toList();
    }
    LoopReport report =
        new LoopReport(
            runs.stream().map(Seed::gated).toList(),
            runs.stream().map(Seed::ungated).toList(),
            runs.stream()
                .map(Seed::trial)
                .filter(Objects::nonNull)
                .reduce(GateTrial.Result::plus)
                .orElse(null));
    report.print(System.out);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("world", world);
    result.put("slate", exploration.slots());
    result.put("candidates", exploration.pool());
    result.put("decisions", decisions);
    result.put("seeds", seeds);
    result.put("exploration", exploration);
    result.put("faultEvery", faultEvery);
    result.putAll(report.json());
    common.write("feedback simulate", device, result);
    return 0;
  }

  private Seed run(SimulatedWorld world, StratifiedSampler exploration, long seed) {
    int each = (planted + seeds - 1) / seeds;
    int heldBack = rounds * decisions / FeedbackLoop.GATE_EVERY;
    return new Seed(
        new FeedbackLoop(world, exploration, rounds, decisions, true, faultEvery, seed).run(),
        new FeedbackLoop(world, exploration, rounds, decisions, false, faultEvery, seed).run(),
        each == 0 ? null : new GateTrial(world, exploration, heldBack, each, seed).run());
  }

  private LongFunction<SimulatedWorld> worlds() {
    switch (world) {
      case "jester" -> {
        Path folder = data;
        if (folder == null) {
          throw new InvalidInputException("--data is needed: the folder jester5k");
        }
        double[][] ratings = JesterWorld.read(folder);
        return seed -> new JesterWorld(ratings, seed);
      }
      case "clicks" -> {
        ClickWorld.Settings settings =
            new ClickWorld.Settings(positionBias, drift, delay, missing, rounds);
        return seed -> new ClickWorld(settings, seed);
      }
      default ->
          throw new InvalidInputException(
              "--world knows jester and clicks but not '" + world + "'");
    }
  }

  private StratifiedSampler exploration(SimulatedWorld one) {
    int candidates = one.visit(one.visitors().get(0), 1).worth().length;
    Double warm = temperature;
    Double share = epsilon;
    return new StratifiedSampler(
        one.examination().length,
        candidates,
        warm == null ? one.temperature() : warm,
        share == null ? one.epsilon() : share);
  }
}
