package io.sextant.benchmarks;

import ai.djl.Device;

/** Who trains and searches. Thread safety: immutable. */
public enum Peer {
  /** The engine: rows are updated by Adagrad, its default; the exact search scans tile by tile. */
  SEXTANT {
    @Override
    Training open(Workload workload, Device device) {
      return new SextantTraining(workload, device);
    }

    @Override
    float[] search(Scoring scoring) {
      return scoring.searchInTiles();
    }
  },
  /**
   * DJL's own blocks, trainer and Adam, which updates whole tables; one product of all users and
   * items, and {@code topK} of it.
   */
  PLAIN_DJL {
    @Override
    Training open(Workload workload, Device device) {
      return new PlainDjl(workload, device);
    }

    @Override
    float[] search(Scoring scoring) {
      return scoring.searchAtOnce();
    }
  };

  private static final int EPOCHS_OF_CHECK = 60;

  /** A training of this peer. */
  abstract Training open(Workload workload, Device device);

  /** The scores of the lists (B, k), best first, on the host; on a tensor thread. */
  abstract float[] search(Scoring scoring);

  /**
   * Trains for some epochs on something small: enough for Adam at .001, the slowest of the peers.
   *
   * @throws IllegalStateException if the loss does not fall by a tenth: what does not learn must
   *     not be timed
   */
  void checkThatItLearns(Device device) {
    Workload small = Workload.random(new Sizes(300, 200, 16, 128), 8);
    try (Training training = open(small, device)) {
      double first = training.train().meanLoss();
      double last = first;
      for (int examples = 0; examples < EPOCHS_OF_CHECK * small.users().length; ) {
        Training.Outcome outcome = training.train();
        examples += outcome.examples();
        last = outcome.meanLoss();
      }
      // Written so that NaN fails too.
      if (!(last < 0.9 * first)) {
        throw new IllegalStateException(
            "%s does not learn on %s: its loss went from %f to %f"
                .formatted(this, device, first, last));
      }
    }
  }
}
