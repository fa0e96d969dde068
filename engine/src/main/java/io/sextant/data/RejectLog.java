package io.sextant.data;

import de.siegmar.fastcsv.writer.CsvWriter;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Counts rejected rows, keeps the first of each reason and writes all of them to a file if there is
 * one: to a temporary one, which takes the file's place when all is done. What is no regular file,
 * as a pipe or /dev/stdout, is written to as it is.
 */
final class RejectLog implements Closeable {

  private final int examplesPerReason;
  private final Map<RejectReason, Long> counts = new EnumMap<>(RejectReason.class);
  private final List<RejectedRow> examples = new ArrayList<>();
  private final @Nullable Path file;
  private final @Nullable Path temporary;
  private final @Nullable FileChannel channel;
  private final @Nullable CsvWriter writer;

  RejectLog(int examplesPerReason, @Nullable Path file) {
    this.examplesPerReason = examplesPerReason;
    this.file = file;
    if (file == null) {
      temporary = null;
      channel = null;
      writer = null;
      return;
    }
    Path target = file.toAbsolutePath();
    Path folder = target.getParent();
    if (folder == null || Files.isDirectory(target)) {
      throw new InvalidInputException(file + " is a directory: rejected rows need a file to go to");
    }
    try {
      boolean inPlace = Files.exists(target) && !Files.isRegularFile(target);
      Path written =
          inPlace ? target : Files.createTempFile(folder, target.getFileName() + ".", ".part");
      temporary = inPlace ? null : written;
      channel = FileChannel.open(written, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new InvalidInputException(
          "rejected rows cannot be written to %s: %s; name a folder that exists and may be written"
              .formatted(file, e),
          e);
    }
    writer =
        CsvWriter.builder()
            .build(
                new BufferedWriter(
                    new OutputStreamWriter(
                        Channels.newOutputStream(channel), StandardCharsets.UTF_8)));
    write("source", "line", "reason", "detail", "row");
  }

  void add(RejectedRow row) {
    long count = counts.merge(row.reason(), 1L, Long::sum);
    if (count <= examplesPerReason) {
      examples.add(row);
    }
    if (writer != null) {
      write(row.source(), Long.toString(row.line()), row.reason().name(), row.detail(), row.row());
    }
  }

  Map<RejectReason, Long> counts() {
    return counts;
  }

  List<RejectedRow> examples() {
    return examples;
  }

  long total() {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Puts the file into its place. */
  void commit() {
    if (writer == null || channel == null || file == null) {
      return;
    }
    try {
      writer.flush();
      if (temporary == null) {
        writer.close();
        return;
      }
      channel.force(true);
      writer.close();
      Files.move(
          temporary,
          file.toAbsolutePath(),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException | UncheckedIOException e) {
      throw failed(e);
    }
  }

  /** Removes what was not committed. */
  @Override
  public void close() {
    if (channel == null) {
      return;
    }
    try {
      channel.close();
      if (temporary != null) {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private void write(String... fields) {
    if (writer == null) {
      return;
    }
    try {
      writer.writeRecord(fields);
    } catch (UncheckedIOException e) {
      throw failed(e);
    }
  }

  private SextantException failed(Exception e) {
    return new SextantException(
        "rejected rows cannot be written to %s: %s; make room or name another file"
            .formatted(file, e.getMessage()),
        e);
  }
}
