package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.feedback.ActionProbabilities;
import io.sextant.feedback.Estimate;
import io.sextant.feedback.EvaluationOptions;
import io.sextant.feedback.IntervalMethod;
import io.sextant.feedback.OffPolicyEvaluator;
import io.sextant.feedback.OffPolicyReport;
import io.sextant.feedback.Overlap;
import io.sextant.feedback.RewardModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a policy would have earned in the rounds that another policy logged. */
@Command(
    name = "ope",
    description = "The value of a policy from another policy's log.",
    subcommands = OpeStudy.class)
final class Ope implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--logs", description = "folder of the log")
  private @Nullable Path logs;

  @Option(
      names = "--format",
      description = {
        "csv: rounds.csv with action, reward, propensity and numbers of the context;",
        "obd: a campaign of the Open Bandit Dataset (default: ${DEFAULT-VALUE})"
      })
  private String format = "csv";

  @Option(
      names = "--target",
      description = {
        "uniform, or a csv file with a column of probabilities for each action and a row for each",
        "round or one for all (default: ${DEFAULT-VALUE})"
      })
  private String target = "uniform";

  @Option(
      names = "--estimators",
      split = ",",
      description = {
        "dm, ips, snips, dr, sndr; with a parameter, as in ips@10, also switch-dr, dros and",
        "sub-gaussian; ips@slope and the like have the parameter chosen (default: a selection)"
      })
  private List<String> estimators = EvaluationOptions.DEFAULT_ESTIMATORS;

  @Option(
      names = "--interval",
      description = "student-t, bootstrap or bernstein (default: ${DEFAULT-VALUE})")
  private String interval = "student-t";

  @Option(
      names = "--bounds",
      split = ",",
      description = "for bernstein, known beforehand: least reward, largest reward, largest weight")
  private List<Double> bounds = List.of();

  @Option(
      names = "--model",
      description = "ridge or logistic; default: logistic for rewards in 0..1, else ridge")
  private @Nullable String model;

  @Option(names = "--l2", description = "the reward model's penalty (default: ${DEFAULT-VALUE})")
  private double l2 = 1;

  @Option(
      names = "--folds",
      description = "parts for the reward model's cross-fit (default: ${DEFAULT-VALUE})")
  private int folds = 3;

  @Override
  public Integer call() {
    Path folder = logs;
    if (folder == null) {
      throw new InvalidInputException("--logs is needed: the folder of the log");
    }
    String device = common.host();
    EvaluationOptions options = options();
    BanditLog log = BanditLog.read(folder, format);
    ActionProbabilities policy = log.target(target);
    OffPolicyReport report = new OffPolicyEvaluator(options).evaluate(log.rounds(), policy);
    print(report);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("format", format);
    result.put("target", target);
    result.put("rounds", log.rounds().size());
    result.put("actions", log.actions().size());
    result.put("loggedReward", log.rounds().meanReward());
    result.put("interval", interval);
    result.put("estimates", estimates(report));
    result.put("diagnostics", diagnostics(report.overlap()));
    common.write("ope", device, result);
    return 0;
  }

  private EvaluationOptions options() {
    EvaluationOptions options =
        EvaluationOptions.defaults().withEstimators(estimators).withSeed(common.seed());
    String kind = model;
    if (kind != null) {
      options =
          options.withModel(
              switch (kind) {
                case "ridge" -> RewardModel.ridge(l2);
                case "logistic" -> RewardModel.logistic(l2);
                default ->
                    throw new InvalidInputException(
                        "--model knows ridge and logistic but not '" + kind + "'");
              },
              folds);
    }
    return switch (interval) {
      case "student-t" -> options;
      case "bootstrap" -> options.withMethod(IntervalMethod.BOOTSTRAP);
      case "bernstein" -> {
        if (bounds.size() != 3) {
          throw new InvalidInputException(
              "--interval bernstein needs --bounds MIN_REWARD,MAX_REWARD,MAX_WEIGHT but had "
                  + bounds);
        }
        yield options.withBernstein(
            new EvaluationOptions.Bounds(bounds.get(0), bounds.get(1), bounds.get(2)));
      }
      default ->
          throw new InvalidInputException(
              "--interval knows student-t, bootstrap and bernstein but not '" + interval + "'");
    };
  }

  private static void print(OffPolicyReport report) {
    for (Estimate estimate : report.estimates()) {
      System.out.printf(
          Locale.ROOT,
          "  %-20s %.6f [%.6f, %.6f]%s%n",
          estimate.name().equals(estimate.estimator().name())
              ? estimate.name()
              : estimate.name() + " = " + estimate.estimator().name(),
          estimate.interval().value(),
          estimate.interval().lo(),
          estimate.interval().hi(),
          estimate.trusted() ? "" : "  not to be trusted: " + estimate.warnings().get(0));
    }
    Overlap overlap = report.overlap();
    System.out.printf(
        Locale.ROOT,
        "  %d rounds are worth %.1f; largest weight %.2f, mean weight %.4f, %d without support%n",
        overlap.rounds(),
        overlap.effectiveSampleSize(),
        overlap.maxWeight(),
        overlap.meanWeight(),
        overlap.supportViolations());
    overlap.warnings().forEach(warning -> System.err.println("warning: " + warning));
  }

  private static Map<String, Object> estimates(OffPolicyReport report) {
    Map<String, Object> estimates = new LinkedHashMap<>();
    for (Estimate estimate : report.estimates()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("value", estimate.interval().value());
      fields.put("lo", estimate.interval().lo());
      fields.put("hi", estimate.interval().hi());
      fields.put("estimator", estimate.estimator().name());
      fields.put("trusted", estimate.trusted());
      fields.put("warnings", estimate.warnings());
      estimates.put(estimate.name(), fields);
    }
    return estimates;
  }

  private static Map<String, Object> diagnostics(Overlap overlap) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("ess", overlap.effectiveSampleSize());
    fields.put("maxWeight", overlap.maxWeight());
    fields.put("meanWeight", overlap.meanWeight());
    fields.put("supportViolations", overlap.supportViolations());
    fields.put("trusted", overlap.trusted());
    fields.put("warnings", overlap.warnings());
    return fields;
  }
}
