package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import io.sextant.meta.Attribution.FeatureEffect;
import io.sextant.nn.ParameterValues;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Takes the scores of both stages apart.
 *
 * <p>Thread safety: immutable; runs on a tensor thread.
 */
final class Explainer {

  private final FusedScorer scorer;
  private final PolicyFeatures features;
  private final StageOne gate;
  private final StageTwo stageTwo;

  Explainer(FusedScorer scorer, PolicyFeatures features, StageOne gate, StageTwo stageTwo) {
    this.scorer = scorer;
    this.features = features;
    this.gate = gate;
    this.stageTwo = stageTwo;
  }

  /**
   * Explains items of one user.
   *
   * @param scores of the user alone
   * @param rescoring of the user alone, by the gate and the policy
   */
  List<Explanation> explain(
      Scope request, UserState user, PoolScores scores, Rescoring rescoring, int[] items) {
    float strength = rescoring.data() == null ? 0 : stageTwo.strength(user.history().length);
    Mix mix = mix(request, rescoring, strength);
    List<Attribution> gateAttributions = gateAttributions(request, user, rescoring);
    float[] raw = scorer.raw(request, scores, items);
    List<Explanation> explanations = new ArrayList<>(items.length);
    for (int i = 0; i < items.length; i++) {
      int candidate = candidateOf(rescoring.evidence(), items[i]);
      List<StrategyPart> parts = new ArrayList<>();
      for (int m = 0; m < scorer.pool().size(); m++) {
        float score = raw[i * scorer.pool().size() + m];
        parts.add(part(user, items[i], m, score, scores, rescoring.weights()[m], mix, candidate));
      }
      explanations.add(
          candidate < 0
              ? new Explanation(
                  items[i],
                  false,
                  parts.stream().mapToDouble(StrategyPart::retrieval).sum(),
                  parts,
                  0,
                  gateAttributions,
                  List.of())
              : new Explanation(
                  items[i],
                  true,
                  rescoring.scores()[candidate],
                  parts,
                  mix.bias()[candidate],
                  gateAttributions,
                  policyAttributions(request, rescoring, candidate, strength)));
    }
    return explanations;
  }

  /**
   * What stage 2 makes of each candidate.
   *
   * @param baseline (N * M) what each strategy adds with its global weight
   * @param tilt (N * M) what the policy changes in that
   * @param bias (N) what the policy adds
   * @param averages (M) means of baseline + tilt over the candidates
   */
  private record Mix(double[] baseline, double[] tilt, double[] bias, double[] averages) {}

  private Mix mix(Scope request, Rescoring rescoring, float strength) {
    int n = rescoring.evidence().length(0);
    int numStrategies = scorer.pool().size();
    double[] baseline = new double[n * numStrategies];
    double[] tilt = new double[baseline.length];
    double[] bias = new double[n];
    double[] averages = new double[numStrategies];
    for (int at = 0; at < baseline.length; at++) {
      float weight = stageTwo.baseline()[at % numStrategies];
      baseline[at] = (double) weight * rescoring.normalised()[at];
    }
    MixData data = rescoring.data();
    if (data != null && strength > 0 && n > 0) {
      double share = (double) strength / stageTwo.policies().size();
      for (MixModel policy : stageTwo.policies()) {
        try (Scope step = request.child()) {
          MixModel.Outputs outputs = outputs(step, policy, data, n);
          float[] weights = HostArrays.toFloats(outputs.weights());
          for (int at = 0; at < tilt.length; at++) {
            float before = stageTwo.baseline()[at % numStrategies];
            tilt[at] += share * ((double) weights[at] - before) * rescoring.normalised()[at];
          }
          NDArray added = outputs.bias();
          float[] biases = added == null ? new float[n] : HostArrays.toFloats(added);
          for (int c = 0; c < n; c++) {
            bias[c] += share * biases[c];
          }
        }
      }
    }
    for (int at = 0; at < baseline.length; at++) {
      averages[at % numStrategies] += (baseline[at] + tilt[at]) / n;
    }
    return new Mix(baseline, tilt, bias, averages);
  }

  /** The network's outputs for the user's n candidates. */
  private static MixModel.Outputs outputs(Scope step, MixModel policy, MixData data, int n) {
    MixShape shape = policy.shape();
    return policy.outputs(
        new ParameterValues(step.manager()),
        HostArrays.floats(step.manager(), data.users(), 1, shape.userWidth()),
        HostArrays.floats(
            step.manager(),
            Arrays.copyOf(itemsOf(data), n * shape.itemWidth()),
            n,
            shape.itemWidth()),
        HostArrays.floats(step.manager(), data.confidence(), 1, 1));
  }

  private StrategyPart part(
      UserState user,
      int item,
      int strategy,
      float raw,
      PoolScores scores,
      float weight,
      Mix mix,
      int candidate) {
    StrategyPool.Member member = scorer.pool().members().get(strategy);
    double mean = scores.means()[strategy];
    double deviation = scores.deviations()[strategy];
    double scale = deviation > 0 ? weight / deviation : 0;
    double retrieval = scale * (raw - mean);
    List<HistoryPart> history = history(member.fitted(), user, item, scale);
    double rest = retrieval - history.stream().mapToDouble(HistoryPart::value).sum();
    int at = candidate * scorer.pool().size() + strategy;
    return new StrategyPart(
        member.name(),
        member.fitted().type(),
        raw,
        mean,
        deviation,
        weight,
        retrieval,
        history,
        rest,
        candidate < 0 ? 0 : mix.baseline()[at],
        candidate < 0 ? 0 : mix.tilt()[at],
        candidate < 0 ? 0 : mix.averages()[strategy]);
  }

  private List<HistoryPart> history(FittedStrategy fitted, UserState user, int item, double scale) {
    return history(user, scorer.historyParts(fitted, user, item), scale);
  }

  /** What the items of a history add to a score, largest first, each item once. */
  static List<HistoryPart> history(UserState user, float[] parts, double scale) {
    Map<Integer, Double> values = new LinkedHashMap<>();
    for (int place = 0; place < parts.length; place++) {
      if (parts[place] != 0 && scale != 0) {
        values.merge(user.history()[place], scale * parts[place], Double::sum);
      }
    }
    return values.entrySet().stream()
        .map(entry -> new HistoryPart(entry.getKey(), entry.getValue()))
        .sorted(Comparator.comparingDouble((HistoryPart part) -> -Math.abs(part.value())))
        .toList();
  }

  private List<Attribution> gateAttributions(Scope request, UserState user, Rescoring rescoring) {
    MixModel network = gate.gate();
    if (network == null || user.history().length == 0) {
      return List.of();
    }
    IntegratedGradients.Result result =
        IntegratedGradients.of(
            request,
            (step, inputs) ->
                network.tilts(
                    new ParameterValues(step.manager()),
                    inputs,
                    step.manager().ones(new Shape(inputs.getShape().get(0), 1))),
            gate.prepared(rescoring.before()));
    return attributions(
        result, scorer.pool().names(), features.userNames(), gate.prepared(rescoring.before()));
  }

  private List<Attribution> policyAttributions(
      Scope request, Rescoring rescoring, int candidate, float strength) {
    MixData data = rescoring.data();
    if (data == null || strength == 0) {
      return List.of();
    }
    int itemWidth = features.itemNames().size();
    int numStrategies = scorer.pool().size();
    float[] users = data.users();
    float[] inputs = Arrays.copyOf(users, users.length + itemWidth);
    System.arraycopy(itemsOf(data), candidate * itemWidth, inputs, users.length, itemWidth);
    float[] normalised =
        Arrays.copyOfRange(
            rescoring.normalised(), candidate * numStrategies, (candidate + 1) * numStrategies);
    IntegratedGradients.Result result =
        IntegratedGradients.of(
            request,
            (step, rows) ->
                policyOutputs(step, rows, users.length, normalised, data.confidence()[0], strength),
            inputs);
    List<String> outputs =
        Stream.concat(
                scorer.pool().names().stream(), Stream.of(Attribution.BIAS, Attribution.SCORE))
            .toList();
    List<String> names =
        Stream.concat(features.userNamesWithCandidates().stream(), features.itemNames().stream())
            .toList();
    return attributions(result, outputs, names, inputs);
  }

  /**
   * The mean outputs of the networks: tilts of strategies, tilt of the bias, score (R, M + 2).
   *
   * @param rows (R, F_u + F_i)
   * @param normalised (M) scores of the item, held fixed
   */
  private NDArray policyOutputs(
      Scope step,
      NDArray rows,
      int userWidth,
      float[] normalised,
      float confidence,
      float strength) {
    NDArray users = rows.get(":, 0:" + userWidth);
    NDArray items = rows.get(":, %d:".formatted(userWidth));
    NDArray trust = HostArrays.floats(step.manager(), new float[] {confidence}, 1, 1);
    NDArray scores = HostArrays.floats(step.manager(), normalised, 1, normalised.length);
    NDArray sum = null;
    for (MixModel policy : stageTwo.policies()) {
      NDArray tilts = policy.tilts(new ParameterValues(step.manager()), users, items);
      MixModel.Outputs outputs = policy.outputs(tilts, trust);
      NDArray score = outputs.weights().mul(scores).sum(new int[] {1}, true);
      NDArray bias = outputs.bias();
      NDArray total = bias == null ? score : score.add(bias);
      NDArray all = NDArrays.concat(new NDList(tilts, Grad.times(total, strength)), 1);
      sum = sum == null ? all : sum.add(all);
    }
    if (sum == null) {
      throw new IllegalStateException("a stage 2 without networks has no outputs");
    }
    return Grad.times(sum, 1f / stageTwo.policies().size());
  }

  private static List<Attribution> attributions(
      IntegratedGradients.Result result, List<String> outputs, List<String> names, float[] inputs) {
    List<Attribution> attributions = new ArrayList<>(outputs.size());
    for (int o = 0; o < outputs.size(); o++) {
      List<FeatureEffect> effects = new ArrayList<>(names.size());
      for (int f = 0; f < names.size(); f++) {
        effects.add(new FeatureEffect(names.get(f), inputs[f], result.effects()[o][f]));
      }
      attributions.add(
          new Attribution(outputs.get(o), result.values()[o], result.references()[o], effects));
    }
    return attributions;
  }

  private static float[] itemsOf(MixData data) {
    float[] items = data.items();
    if (items == null) {
      throw new IllegalStateException("stage 2 without features of items");
    }
    return items;
  }

  private static int candidateOf(Evidence evidence, int item) {
    for (int c = 0; c < evidence.length(0); c++) {
      if (evidence.item(0, c) == item) {
        return c;
      }
    }
    return -1;
  }
}
