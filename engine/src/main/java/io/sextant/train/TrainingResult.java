package io.sextant.train;

import java.util.List;
import java.util.Map;

/**
 * How training went.
 *
 * @param epochs epochs that were finished, those before a resumption included
 * @param bestEpoch the epoch whose parameters the model has now, from 0
 * @param steps steps made, those before a resumption included
 * @param skippedSteps steps without an update because the loss was not finite
 * @param examplesPerSecond of this run, without validation
 * @param meanLosses mean loss of each epoch
 * @param validations metrics of each epoch; empty maps if there was no validation
 * @param rowCache how tables fared in this run of which the device holds a part only
 */
public record TrainingResult(
    int epochs,
    int bestEpoch,
    long steps,
    long skippedSteps,
    double examplesPerSecond,
    List<Double> meanLosses,
    List<Map<String, Double>> validations,
    List<RowCacheReport> rowCache) {}
