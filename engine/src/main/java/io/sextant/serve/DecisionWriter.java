package io.sextant.serve;

import io.sextant.InvalidInputException;
import io.sextant.feedback.Decision;
import io.sextant.feedback.SlateDraw;
import io.sextant.feedback.SlateExploration;
import io.sextant.observe.ServiceMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Draws lists and hands decisions to the log, without waiting for it.
 *
 * <p>Thread safety: safe.
 */
final class DecisionWriter {

  private static final Logger LOG = LoggerFactory.getLogger(DecisionWriter.class);

  private final DecisionLogging logging;
  private final ServiceMetrics metrics;
  private final AtomicBoolean complained = new AtomicBoolean();

  DecisionWriter(DecisionLogging logging, ServiceMetrics metrics) {
    this.logging = logging;
    this.metrics = metrics;
  }

  DecisionLogging logging() {
    return logging;
  }

  /** Whether a request is to be logged. */
  boolean wants(boolean parts, @Nullable Boolean asked) {
    return !parts && (asked == null ? logging.byDefault() : asked);
  }

  /**
   * A list that is shown.
   *
   * @param taken positions among what was found
   * @param decisionId null if the log did not take it
   */
  record Shown(int[] taken, @Nullable String decisionId) {}

  /**
   * For whom a list is.
   *
   * @param history what the user has done
   * @param baselineVersion the incumbent's
   */
  record Subject(@Nullable String userId, Decision.History history, String baselineVersion) {}

  /**
   * What a user has done, as ids from which any model makes the same of it that this one does now.
   *
   * @param stored places in the bundle
   * @param events ids since then, which may repeat the last of the stored ones
   * @param joined places of both, without the repetition
   */
  static Decision.History history(
      Catalogue catalogue, int[] stored, List<String> events, int[] joined) {
    int from = events.size();
    int missing = joined.length - stored.length;
    while (from > 0) {
      boolean known = catalogue.knownAs(events.get(from - 1)) >= 0;
      if (known && missing == 0) {
        break;
      }
      missing -= known ? 1 : 0;
      from--;
    }
    List<String> whole = new ArrayList<>(stored.length + events.size() - from);
    for (int place : stored) {
      whole.add(catalogue.idOf(place));
    }
    whole.addAll(events.subList(from, events.size()));
    return Decision.History.of(whole);
  }

  /**
   * Draws a list and logs it.
   *
   * @param varied the list if diversity made it; null to draw
   */
  Shown show(
      ServedVersion version,
      Subject subject,
      Job.Found found,
      Job.Evidence evidence,
      int k,
      int @Nullable [] varied) {
    UUID id = UUID.randomUUID();
    long seed = id.getLeastSignificantBits();
    int length = found.places().length;
    double[] scores = new double[length];
    Arrays.setAll(scores, i -> found.scores()[i]);
    double[] propensities = new double[length];
    int[] taken;
    if (varied != null) {
      taken = varied;
      for (int i : taken) {
        propensities[i] = 1;
      }
    } else if (length == 0) {
      taken = new int[0];
    } else {
      SlateExploration exploration = logging.of(k);
      SlateDraw draw = exploration.draw(scores, seed, 0);
      taken = draw.items();
      propensities = exploration.firstPropensities(scores);
      for (int slot = 0; slot < taken.length; slot++) {
        propensities[taken[slot]] = draw.propensities()[slot];
      }
    }
    List<Decision.Candidate> candidates = new ArrayList<>(length);
    for (int i = 0; i < length; i++) {
      float[] ofStrategies = evidence.strategyScores().get(i);
      float[] all = Arrays.copyOf(ofStrategies, ofStrategies.length + 1);
      all[ofStrategies.length] = found.scores()[i];
      candidates.add(
          new Decision.Candidate(
              version.catalogue().idOf(found.places()[i]), all, Math.min(1, propensities[i])));
    }
    Decision decision =
        new Decision(
            id.toString(),
            subject.userId(),
            version.policyVersion(),
            subject.baselineVersion(),
            System.currentTimeMillis(),
            seed,
            subject.history(),
            evidence.inputs(),
            evidence.gates(),
            candidates,
            taken);
    return new Shown(taken, handedOver(decision) ? decision.id() : null);
  }

  private boolean handedOver(Decision decision) {
    CompletableFuture<Void> written;
    try {
      written = logging.log().record(decision);
    } catch (RuntimeException e) {
      metrics.decision(false);
      complain(e);
      return false;
    }
    metrics.decision(true);
    written.whenComplete(
        (nothing, failure) -> {
          if (failure != null) {
            metrics.decisionFailed();
            complain(failure);
          }
        });
    return true;
  }

  /** Once: a log that is full refuses thousands of times, and metrics count them. */
  private void complain(Throwable failure) {
    if (complained.compareAndSet(false, true)) {
      LOG.warn("decisions are not logged; more such failures are counted only", failure);
    }
  }

  /** Refuses ids that a decision cannot hold before anything is computed. */
  static void check(@Nullable String userId) {
    if (userId != null && (userId.isEmpty() || userId.length() > Recommender.MAX_ID_LENGTH)) {
      throw new InvalidInputException(
          "the id of a user whose decisions are logged must have 1 to %d characters but had %d"
              .formatted(Recommender.MAX_ID_LENGTH, userId.length()));
    }
  }
}
