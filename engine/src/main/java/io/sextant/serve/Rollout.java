package io.sextant.serve;

import io.sextant.InvalidInputException;
import io.sextant.feedback.PromotionDecision;
import io.sextant.feedback.PromotionJournal;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredPolicy;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Brings candidates into service as the gate decides, first to a share of the users, and writes
 * every step down with its reason. Nothing that the gate has not promoted is ever served.
 *
 * <p>Thread safety: safe; steps are taken one after the other.
 */
public final class Rollout {

  private final Recommender recommender;
  private final PromotionJournal journal;
  private final ReentrantLock stepping = new ReentrantLock();
  private String candidate = "";

  /**
   * @param recommender lent
   * @param journal where steps are written
   */
  public Rollout(Recommender recommender, PromotionJournal journal) {
    this.recommender = recommender;
    this.journal = journal;
  }

  /**
   * Writes the gate's decision down and, if it promotes, serves the bundle to a share of the users:
   * those of the experiment that is named like the candidate.
   *
   * @param bundle of the candidate
   * @param share 0..1
   * @return whether it is served
   * @throws InvalidInputException if the bundle's version is not the one that was judged, or it
   *     cannot be served
   */
  public boolean judged(Path bundle, PromotionDecision decision, double share) {
    stepping.lock();
    try {
      String version = versionOf(bundle);
      if (!version.equals(decision.candidate())) {
        throw new InvalidInputException(
            "the gate has judged %s but %s is version %s"
                .formatted(decision.candidate(), bundle, version));
      }
      StickyBuckets users = new StickyBuckets(version, share);
      write(PromotionJournal.Step.JUDGED, version, decision.reason(), decision);
      if (!decision.promoted()) {
        return false;
      }
      recommender.startCanary(bundle, users);
      candidate = version;
      write(PromotionJournal.Step.CANARY_STARTED, version, "for a share of " + share, null);
      return true;
    } finally {
      stepping.unlock();
    }
  }

  /** Serves the canary to all. */
  public void complete(String reason) {
    stepping.lock();
    try {
      recommender.promoteCanary();
      write(PromotionJournal.Step.PROMOTED, candidate, reason, null);
    } finally {
      stepping.unlock();
    }
  }

  /** Gives the canary up. */
  public void stop(String reason) {
    stepping.lock();
    try {
      if (!recommender.stopCanary()) {
        throw new InvalidInputException("there is no canary to stop");
      }
      write(PromotionJournal.Step.CANARY_STOPPED, candidate, reason, null);
    } finally {
      stepping.unlock();
    }
  }

  /** Serves again what was served before the last promotion. */
  public void rollBack(String reason) {
    stepping.lock();
    try {
      recommender.rollback();
      write(PromotionJournal.Step.ROLLED_BACK, candidate, reason, null);
    } finally {
      stepping.unlock();
    }
  }

  private void write(
      PromotionJournal.Step step,
      String version,
      String reason,
      @Nullable PromotionDecision decision) {
    journal.append(
        new PromotionJournal.Entry(
            System.currentTimeMillis(),
            step,
            version,
            recommender.modelVersion(),
            reason,
            decision));
  }

  /** The version that decisions of this bundle name: its policy's, or its own if it has none. */
  public static String versionOf(Path bundle) {
    try (ModelBundle opened = ModelBundle.open(bundle)) {
      return opened.policy().map(StoredPolicy::version).orElse(opened.contentId());
    }
  }
}
