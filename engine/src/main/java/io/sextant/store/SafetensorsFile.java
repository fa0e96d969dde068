package io.sextant.store;

import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import java.io.IOException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An open safetensors file. Everything but the values themselves (header, names, types, shapes,
 * offsets, length) is verified when it is opened; tensors are then read in chunks of rows straight
 * from the file, also beyond 2 GiB. BOOL values are verified as they are read.
 *
 * <p>It stays readable when the file's name is given to another file, as an atomic writer does.
 *
 * <p>Thread safety: safe for many threads at once, see {@link StoredTensors}.
 */
public final class SafetensorsFile implements StoredTensors, AutoCloseable {

  private final FileChannel channel;
  private final String where;
  private final SafetensorsHeader header;
  private final Map<String, TensorSource> tensors = new LinkedHashMap<>();

  private SafetensorsFile(FileChannel channel, String where, SafetensorsHeader header) {
    this.channel = channel;
    this.where = where;
    this.header = header;
    header.entries().forEach(entry -> tensors.put(entry.spec().name(), new Slice(entry)));
  }

  /**
   * Opens and verifies a file.
   *
   * @throws InvalidInputException if it is not there or not a right safetensors file
   * @throws SextantException if it cannot be read
   */
  public static SafetensorsFile open(Path file) {
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (IOException e) {
      throw AtomicFiles.failure("cannot read " + file, e);
    }
    return open(channel, file.toString());
  }

  /** Takes the channel over: it is closed with the file, or here if the file is refused. */
  static SafetensorsFile open(FileChannel channel, String where) {
    try {
      return new SafetensorsFile(channel, where, SafetensorsHeader.read(channel, where));
    } catch (IOException e) {
      AtomicFiles.closeQuietly(channel, e);
      throw AtomicFiles.failure("cannot read " + where, e);
    } catch (RuntimeException | Error e) {
      AtomicFiles.closeQuietly(channel, e);
      throw e;
    }
  }

  @Override
  public List<TensorSpec> specs() {
    return header.entries().stream().map(SafetensorsHeader.Entry::spec).toList();
  }

  @Override
  public boolean contains(String name) {
    return tensors.containsKey(name);
  }

  @Override
  public TensorSource tensor(String name) {
    TensorSource tensor = tensors.get(name);
    if (tensor == null) {
      throw new InvalidInputException(
          "%s: has no tensor %s, only %s".formatted(where, Text.quote(name), tensors.keySet()));
    }
    return tensor;
  }

  @Override
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /** Closes the file; its tensors cannot be read any more. Closing twice does nothing. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw AtomicFiles.failure("cannot close " + where, e);
    }
  }

  @Override
  public String toString() {
    return "SafetensorsFile[" + where + ", " + header.entries().size() + " tensors]";
  }

  /** One tensor's part of the file. */
  private final class Slice implements TensorSource {

    private final TensorSpec spec;
    private final long start;

    Slice(SafetensorsHeader.Entry entry) {
      this.spec = entry.spec();
      this.start = header.dataStart() + entry.begin();
    }

    @Override
    public TensorSpec spec() {
      return spec;
    }

    @Override
    public void readRows(long firstRow, int rows, ByteBuffer into) {
      int bytes = spec.bytesOfRows(firstRow, rows);
      if (into.remaining() < bytes) {
        throw new BufferOverflowException();
      }
      ByteBuffer slice = into.slice(into.position(), bytes);
      try {
        AtomicFiles.readFully(channel, start + firstRow * spec.rowBytes(), slice, where);
      } catch (ClosedChannelException e) {
        throw new IllegalStateException(
            where + ": is closed (or a thread was interrupted in a read, which closes it)", e);
      } catch (IOException e) {
        throw AtomicFiles.failure("cannot read " + where, e);
      }
      if (spec.type() == TensorType.BOOL) {
        for (int i = 0; i < bytes; i++) {
          if ((slice.get(i) & ~1) != 0) {
            throw new InvalidInputException(
                "%s: tensor %s is BOOL but holds the value %d: only 0 and 1 are right"
                    .formatted(where, Text.quote(spec.name()), slice.get(i)));
          }
        }
      }
      into.position(into.position() + bytes);
    }
  }
}
