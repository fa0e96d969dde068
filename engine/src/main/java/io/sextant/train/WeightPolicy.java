package io.sextant.train;

import io.sextant.data.Interactions;
import io.sextant.nn.HostPolicy;
import io.sextant.nn.PolicyNetwork;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The network that weighs examples, with its optimizer and with what it sees of them.
 *
 * <p>Thread safety: belongs to the training thread; its memory is the session's.
 */
final class WeightPolicy {

  private static final int ATTRIBUTION_ROWS = 20_000;
  private static final int ROWS_PER_TASK = 512;

  private final Scope session;
  private final WeightingOptions options;
  private final ExampleFeatures features;
  private final Interactions train;
  private final int[] userOfRow;
  private final Losses presentLosses;
  private final PolicyNetwork network;
  private final ModelParameters parameters;
  private @Nullable ResidentWeights resident;

  /** The present loss of each row; NaN where none is known. */
  @FunctionalInterface
  interface Losses {
    float[] of(int[] rows, long step);
  }

  WeightPolicy(
      Scope session,
      WeightingOptions options,
      ExampleFeatures features,
      Interactions train,
      Losses presentLosses) {
    features.users().requireRows("user", train.numUsers());
    features.items().requireRows("item", train.numItems());
    features.interactions().requireRows("interaction", train.size());
    this.session = session;
    this.options = options;
    this.features = features;
    this.train = train;
    this.userOfRow = train.userOfRow();
    this.presentLosses = presentLosses;
    network =
        new PolicyNetwork(
            session,
            Math.max(1, features.users().width()),
            Math.max(1, itemWidth()),
            options.hidden(),
            1,
            true,
            options.seed());
    parameters =
        new ModelParameters(
            session,
            network.namedParameters(),
            TrainingOptions.builder()
                .learningRate(options.learningRate())
                .weightDecay(options.weightDecay())
                .build());
  }

  private int itemWidth() {
    return features.items().width() + features.interactions().width() + (features.loss() ? 1 : 0);
  }

  /** The network's parameters: what a checkpoint holds of the policy. */
  ModelParameters parameters() {
    return parameters;
  }

  /** The users of the training interactions. */
  int[] userOfRow() {
    return userOfRow;
  }

  /** The weights of examples, in (0, 2). */
  float[] outputs(Inputs inputs) {
    return doubled(HostPolicy.of(network).outputs(inputs.users, inputs.items));
  }

  /** The same weights for steps that stay on the device; always the same one. */
  ResidentWeights onDevice() {
    if (resident == null) {
      resident =
          new ResidentWeights(session, network, features, train, userOfRow, options.collapse());
    }
    return resident;
  }

  /** Whether all weights of a step on the device went to zero together; waits for the device. */
  boolean collapsedOnDevice() {
    return resident != null && resident.collapsed();
  }

  private static float[] doubled(float[] outputs) {
    float[] doubled = outputs.clone();
    for (int e = 0; e < doubled.length; e++) {
      doubled[e] *= 2;
    }
    return doubled;
  }

  /** What the outputs at hand should change by. */
  @FunctionalInterface
  interface Slopes {
    /** The derivative of a loss by each weight, or null to learn nothing. */
    float @Nullable [] at(float[] weights);
  }

  /** One step of the policy, from the derivative at its present outputs; whether one was made. */
  boolean step(Inputs inputs, Slopes slopes) {
    HostPolicy now = HostPolicy.of(network);
    float[] outputs = now.outputs(inputs.users, inputs.items);
    float[] by = slopes.at(doubled(outputs));
    if (by == null) {
      return false;
    }
    try (Scope scope = session.child()) {
      parameters.updateDense(scope, now.gradient(inputs.users, inputs.items, outputs, by));
    }
    return true;
  }

  /** What the policy sees of rows of the training interactions. */
  Inputs inputs(int[] rows, long step) {
    int userWidth = network.userDim();
    int itemWidth = network.itemDim();
    float[] users = new float[rows.length * userWidth];
    float[] items = new float[rows.length * itemWidth];
    float[] losses = features.loss() ? standardizedLosses(rows, step) : new float[0];
    HostTeam.shared()
        .run(
            HostTeam.tasks(rows.length, ROWS_PER_TASK),
            () ->
                task -> {
                  int end = Math.min(rows.length, (task + 1) * ROWS_PER_TASK);
                  for (int r = task * ROWS_PER_TASK; r < end; r++) {
                    features.users().copyRow(userOfRow[rows[r]], users, r * userWidth);
                    int at = r * itemWidth;
                    features.items().copyRow(train.itemAt(rows[r]), items, at);
                    at += features.items().width();
                    features.interactions().copyRow(rows[r], items, at);
                    at += features.interactions().width();
                    if (features.loss()) {
                      items[at] = losses[r];
                    }
                  }
                });
    return new Inputs(rows.length, users, items, userWidth, itemWidth);
  }

  /** Logarithms, because losses are skewed; the mean where no loss is known. */
  private float[] standardizedLosses(int[] rows, long step) {
    float[] losses = presentLosses.of(rows, step);
    double sum = 0;
    double squares = 0;
    int known = 0;
    for (int r = 0; r < losses.length; r++) {
      losses[r] = (float) Math.log(losses[r] + 1e-4);
      if (!Float.isNaN(losses[r])) {
        sum += losses[r];
        squares += (double) losses[r] * losses[r];
        known++;
      }
    }
    double mean = sum / known;
    double deviation = Math.sqrt(Math.max(0, squares / known - mean * mean)) + 1e-6;
    for (int r = 0; r < losses.length; r++) {
      losses[r] = Float.isNaN(losses[r]) ? 0 : (float) ((losses[r] - mean) / deviation);
    }
    return losses;
  }

  /** Which features drive the weights, on a sample. */
  List<WeightReport.Feature> drivers(float scale, long step) {
    int[] sample = ExampleWeighting.range(0, train.size());
    new CounterRandom(options.seed(), "attribution", 0).shuffle(sample);
    sample = Arrays.copyOf(sample, Math.min(sample.length, ATTRIBUTION_ROWS));
    Inputs inputs = inputs(sample, step);
    float[] now = outputs(inputs);
    List<WeightReport.Feature> drivers = new ArrayList<>();
    List<String> ofUsers = features.users().names();
    for (int f = 0; f < ofUsers.size(); f++) {
      drivers.add(driver(ofUsers.get(f), inputs, true, f, now, scale));
    }
    List<String> ofItems = new ArrayList<>(features.items().names());
    ofItems.addAll(features.interactions().names());
    if (features.loss()) {
      ofItems.add(ExampleFeatures.LOSS);
    }
    for (int f = 0; f < ofItems.size(); f++) {
      drivers.add(driver(ofItems.get(f), inputs, false, f, now, scale));
    }
    drivers.sort((a, b) -> Double.compare(b.effect(), a.effect()));
    return drivers;
  }

  private WeightReport.Feature driver(
      String name, Inputs inputs, boolean ofUser, int column, float[] now, float scale) {
    float[] values = ofUser ? inputs.users : inputs.items;
    int width = ofUser ? inputs.userWidth : inputs.itemWidth;
    float[] kept = new float[inputs.size];
    for (int e = 0; e < kept.length; e++) {
      kept[e] = values[e * width + column];
      values[e * width + column] = 0;
    }
    float[] without = outputs(inputs);
    double effect = 0;
    for (int e = 0; e < kept.length; e++) {
      values[e * width + column] = kept[e];
      effect += Math.abs(now[e] - without[e]);
    }
    return new WeightReport.Feature(name, scale * effect / kept.length, correlation(kept, now));
  }

  /** 0 where one of the two does not vary. */
  private static double correlation(float[] a, float[] b) {
    double meanA = ExampleWeighting.mean(a);
    double meanB = ExampleWeighting.mean(b);
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (a[i] - meanA) * (b[i] - meanB);
      aa += (a[i] - meanA) * (a[i] - meanA);
      bb += (b[i] - meanB) * (b[i] - meanB);
    }
    return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
  }

  /** What the policy sees of some examples. */
  static final class Inputs {
    private final int size;
    private final float[] users;
    private final float[] items;
    private final int userWidth;
    private final int itemWidth;

    Inputs(int size, float[] users, float[] items, int userWidth, int itemWidth) {
      this.size = size;
      this.users = users;
      this.items = items;
      this.userWidth = userWidth;
      this.itemWidth = itemWidth;
    }
  }
}
