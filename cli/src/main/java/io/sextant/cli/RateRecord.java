package io.sextant.cli;

import io.sextant.meta.GuidedRates;
import io.sextant.train.StepPolicyReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a policy that sets step sizes has done, as JSON: what records keep, and reports show. */
final class RateRecord {

  private RateRecord() {}

  static Map<String, Object> of(GuidedRates.Result result) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("outcome", result.outcome().name());
    json.put("learned", of(result.learned()));
    json.put("kept", of(result.rates()));
    json.put("differences", Intervals.json(result.fits().differences()));
    json.put("diverged", result.diverged());
    List<Object> runs = new ArrayList<>();
    for (StepPolicyReport report : result.reports()) {
      Map<String, Object> run = new LinkedHashMap<>();
      run.put("outcome", report.outcome().name());
      run.put("steps", report.policySteps());
      run.put("skippedSteps", report.skippedSteps());
      run.put("start", of(report.start()));
      List<Object> epochs = new ArrayList<>();
      for (StepPolicyReport.Epoch epoch : report.epochs()) {
        Map<String, Object> one = of(epoch.rates());
        one.put("metaLoss", epoch.metaLoss());
        one.put("guardLoss", epoch.guardLoss());
        epochs.add(one);
      }
      run.put("epochs", epochs);
      runs.add(run);
    }
    json.put("runs", runs);
    return json;
  }

  private static Map<String, Object> of(StepPolicyReport.Rates rates) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("dense", rates.dense());
    json.put("user", rates.user());
    json.put("item", rates.item());
    return json;
  }
}
