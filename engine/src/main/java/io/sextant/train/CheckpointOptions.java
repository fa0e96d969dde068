package io.sextant.train;

import io.sextant.InvalidInputException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Where and how often training saves what it needs to go on after a kill.
 *
 * @param file one safetensors file, replaced whole by each checkpoint
 * @param interval least time between two checkpoints; one is also made after every epoch
 * @param resume whether to go on from the file if it is there
 * @param fingerprint what identifies the run (data, recipe, engine): a checkpoint with another
 *     fingerprint is refused
 */
public record CheckpointOptions(Path file, Duration interval, boolean resume, String fingerprint) {

  public CheckpointOptions {
    if (interval.isNegative()) {
      throw new InvalidInputException("checkpoint interval must be >= 0 but was " + interval);
    }
  }
}
