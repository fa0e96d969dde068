package io.sextant.feedback;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which policy was looked at, promoted, stopped or rolled back, when and why: a file of JSON lines
 * that only grows. A step is on disk when {@link #append} returns; a line that a crash left
 * unfinished is cut off when the file is opened again.
 *
 * <p>Thread safety: safe; one process writes.
 */
public final class PromotionJournal {

  private static final Gson GSON = new GsonBuilder().serializeSpecialFloatingPointValues().create();

  private final Path file;

  /** What happened to a candidate. */
  public enum Step {
    /** The gate looked at it. */
    JUDGED,
    /** It serves a share of the users. */
    CANARY_STARTED,
    /** It serves nobody any more. */
    CANARY_STOPPED,
    /** It serves all. */
    PROMOTED,
    /** What served before it serves again. */
    ROLLED_BACK
  }

  /**
   * A step.
   *
   * @param timeMillis since 1970-01-01 UTC
   * @param step what happened
   * @param candidate version of the policy that it happened to
   * @param serving version of the bundle that serves all after it
   * @param reason why
   * @param decision of the gate; null unless it was asked
   */
  public record Entry(
      long timeMillis,
      Step step,
      String candidate,
      String serving,
      String reason,
      @Nullable PromotionDecision decision) {}

  private PromotionJournal(Path file) {
    this.file = file;
  }

  /**
   * Opens a journal; there need not be a file yet.
   *
   * @throws InvalidInputException if it is no journal
   */
  public static PromotionJournal open(Path file) {
    PromotionJournal journal = new PromotionJournal(file);
    if (Files.exists(file)) {
      journal.cutOffUnfinished();
      journal.read();
    }
    return journal;
  }

  private void cutOffUnfinished() {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long end = channel.size();
      ByteBuffer one = ByteBuffer.allocate(1);
      while (end > 0) {
        one.clear();
        channel.read(one, end - 1);
        if (one.get(0) == '\n') {
          break;
        }
        end--;
      }
      channel.truncate(end);
    } catch (IOException e) {
      throw new InvalidInputException(
          "journal %s cannot be opened: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** Writes a step. */
  public synchronized void append(Entry entry) {
    ByteBuffer line = ByteBuffer.wrap((GSON.toJson(entry) + "\n").getBytes(StandardCharsets.UTF_8));
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      while (line.hasRemaining()) {
        channel.write(line);
      }
      channel.force(true);
    } catch (IOException e) {
      throw new SextantException(
          "journal %s could not be written: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** All steps, the oldest first. */
  public synchronized List<Entry> read() {
    List<Entry> entries = new ArrayList<>();
    if (!Files.exists(file)) {
      return entries;
    }
    try {
      for (String line : Files.readAllLines(file)) {
        Entry entry = GSON.fromJson(line, Entry.class);
        if (entry == null || entry.step() == null) {
          throw new JsonParseException("it is no step");
        }
        entries.add(entry);
      }
      return entries;
    } catch (IOException | JsonParseException e) {
      throw new InvalidInputException(
          "%s, line %d is no journal of promotions: %s; choose another file"
              .formatted(file, entries.size() + 1, e.getMessage()),
          e);
    }
  }

  /** How often the gate has looked at a candidate: the next look is one more. */
  public int looks(String candidate) {
    return (int)
        read().stream()
            .filter(e -> e.step() == Step.JUDGED && e.candidate().equals(candidate))
            .count();
  }
}
