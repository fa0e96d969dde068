package io.sextant.store;

import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes tensors in the safetensors format, in chunks of about 1 MiB whatever their size. The same
 * tensors and metadata give the same bytes: wide element types first, then by name; metadata by
 * key; the values are aligned to their element's size.
 *
 * <p>Memory: one chunk, or one row where a row is larger. Thread safety: no state; the sources are
 * read on the calling thread.
 */
public final class SafetensorsWriter {

  static final int CHUNK_BYTES = 1 << 20;

  private SafetensorsWriter() {}

  /**
   * Writes a file whole or not at all: a temporary sibling is written, forced to the disk and
   * renamed over the target. After a failure the target is what it was before.
   *
   * @throws InvalidInputException if a tensor or the place cannot be used
   * @throws SextantException if writing fails, for example on a full disk
   */
  public static void writeAtomically(
      Path file, List<? extends TensorSource> tensors, Map<String, String> metadata) {
    writeAtomically(file, tensors, metadata, AtomicFiles.DISK);
  }

  static void writeAtomically(
      Path file,
      List<? extends TensorSource> tensors,
      Map<String, String> metadata,
      AtomicFiles.Disk disk) {
    AtomicFiles.writeFile(file, channel -> write(channel, tensors, metadata), disk);
  }

  /**
   * Writes to a stream, which is flushed but neither closed nor forced to a disk.
   *
   * @throws InvalidInputException if a tensor cannot be used
   * @throws SextantException if writing fails
   */
  public static void write(
      OutputStream out, List<? extends TensorSource> tensors, Map<String, String> metadata) {
    try {
      write(Channels.newChannel(out), tensors, metadata);
      out.flush();
    } catch (IOException e) {
      throw AtomicFiles.failure("cannot write tensors", e);
    }
  }

  static void write(
      WritableByteChannel out, List<? extends TensorSource> tensors, Map<String, String> metadata)
      throws IOException {
    SafetensorsHeader header =
        SafetensorsHeader.layOut(tensors.stream().map(TensorSource::spec).toList(), metadata);
    AtomicFiles.writeFully(out, header.encode());
    Map<String, TensorSource> byName = new HashMap<>();
    tensors.forEach(tensor -> byName.put(tensor.spec().name(), tensor));
    ByteBuffer chunk = ByteBuffer.allocate(0);
    for (SafetensorsHeader.Entry entry : header.entries()) {
      TensorSpec spec = entry.spec();
      if (spec.bytes() == 0) {
        continue;
      }
      TensorSource tensor = byName.get(spec.name());
      if (tensor == null || !tensor.spec().equals(spec)) {
        throw new IllegalStateException("tensor " + spec + " changed while it was written");
      }
      int chunkRows = chunkRows(spec, CHUNK_BYTES);
      int chunkBytes = spec.bytesOfRows(0, chunkRows);
      if (chunk.capacity() < chunkBytes) {
        chunk = ByteBuffer.allocate(chunkBytes).order(ByteOrder.LITTLE_ENDIAN);
      }
      for (long row = 0; row < spec.rows(); row += chunkRows) {
        int rows = (int) Math.min(chunkRows, spec.rows() - row);
        int bytes = spec.bytesOfRows(row, rows);
        chunk.clear().limit(bytes);
        tensor.readRows(row, rows, chunk);
        if (chunk.position() != bytes) {
          throw new IllegalStateException(
              "the source of tensor %s gave %d bytes for rows %d to %d instead of %d"
                  .formatted(Text.quote(spec.name()), chunk.position(), row, row + rows, bytes));
        }
        AtomicFiles.writeFully(out, chunk.flip());
      }
    }
  }

  /** How many rows go into a chunk: as many as fit, but at least one. */
  static int chunkRows(TensorSpec spec, int chunkBytes) {
    return (int) Math.max(1, Math.min(spec.rows(), chunkBytes / Math.max(1, spec.rowBytes())));
  }
}
