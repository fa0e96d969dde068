package io.sextant.cli;

import io.sextant.train.WeightReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a policy that weighs examples has done, as JSON: what records keep, and reports show. */
final class WeightRecord {

  private WeightRecord() {}

  static Map<String, Object> of(WeightReport report) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("outcome", report.outcome().name());
    json.put("steps", report.policySteps());
    json.put("skippedSteps", report.skippedSteps());
    json.put("metaGains", report.metaGains());
    json.put("guardGains", report.guardGains());
    json.put("quantileLevels", WeightReport.LEVELS);
    json.put("quantiles", report.quantiles());
    json.put("effectiveShare", report.effectiveShare());
    List<Object> features = new ArrayList<>();
    for (WeightReport.Feature feature : report.features()) {
      features.add(
          Map.of(
              "name", feature.name(),
              "effect", feature.effect(),
              "correlation", feature.correlation()));
    }
    json.put("features", features);
    return json;
  }

  /** How well weights tell two kinds of events apart, as {@link WeightReport.Separation} says. */
  static Map<String, Object> of(WeightReport.Separation separation) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("weightAuc", separation.weightAuc());
    json.put("popularityAuc", separation.popularityAuc());
    json.put("meanClean", separation.meanClean());
    json.put("meanCorrupt", separation.meanCorrupt());
    return json;
  }
}
