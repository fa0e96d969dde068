package io.sextant.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The trials that were made, one JSON object a line, each forced to the disk: what was paid for is
 * not paid for again after a crash. A last line that was only half written is cut off.
 *
 * <p>Thread safety: one thread.
 */
public final class TuningJournal implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<Key, Trial> trials = new HashMap<>();
  private final FileChannel channel;

  private record Key(String strategy, String settings, int users) {
    static Key of(Trial trial) {
      return of(trial.strategy(), trial.settings(), trial.users());
    }

    static Key of(String strategy, Map<String, Number> settings, int users) {
      return new Key(strategy, settings.toString(), users);
    }
  }

  private record Header(String fingerprint) {}

  private TuningJournal(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Opens a journal.
   *
   * @param resume whether to go on with the trials of an earlier run; if not they are lost
   * @param fingerprint of data, recipe and engine
   * @throws InvalidInputException if the file cannot be used, or is of another run
   */
  public static TuningJournal open(Path file, boolean resume, String fingerprint) {
    try {
      if (!resume) {
        Files.deleteIfExists(file);
      }
      FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      TuningJournal journal = new TuningJournal(channel);
      try {
        journal.read(file, fingerprint);
        return journal;
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new InvalidInputException(
          "the journal of tuning %s cannot be used: %s; take another --out".formatted(file, e), e);
    }
  }

  private void read(Path file, String fingerprint) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int whole = bytes.length;
    while (whole > 0 && bytes[whole - 1] != '\n') {
      whole--;
    }
    channel.truncate(whole);
    channel.position(whole);
    List<String> lines = new String(bytes, 0, whole, StandardCharsets.UTF_8).lines().toList();
    if (lines.isEmpty()) {
      append(new Header(fingerprint));
      return;
    }
    try {
      String found = JSON.readValue(lines.get(0), Header.class).fingerprint();
      if (!fingerprint.equals(found)) {
        throw new InvalidInputException(
            "tuning %s is of another run: its data, recipe or engine differ; train without --resume, or remove the file"
                .formatted(file));
      }
      for (String line : lines.subList(1, lines.size())) {
        Trial trial = JSON.readValue(line, Trial.class);
        trials.put(Key.of(trial), trial);
      }
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          "tuning %s is damaged: %s; train without --resume, or remove the file"
              .formatted(file, e.getOriginalMessage()),
          e);
    }
  }

  /** The result of a trial that was made already. */
  Optional<Trial> find(String strategy, Map<String, Number> settings, int users) {
    return Optional.ofNullable(trials.get(Key.of(strategy, settings, users)));
  }

  /** Keeps a trial. */
  void add(Trial trial) {
    trials.put(Key.of(trial), trial);
    try {
      append(trial);
    } catch (IOException e) {
      throw new InvalidInputException("the journal of tuning cannot be written: " + e, e);
    }
  }

  private void append(Object line) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.wrap((JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    channel.force(false);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new InvalidInputException("the journal of tuning cannot be closed: " + e, e);
    }
  }
}
