package io.sextant.store;

import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** A file in memory, to read only. */
final class MemoryFile implements SeekableByteChannel {

  private final byte[] bytes;
  private int at;

  MemoryFile(byte[] bytes) {
    this.bytes = bytes;
  }

  @Override
  public int read(ByteBuffer into) {
    if (at >= bytes.length) {
      return -1;
    }
    // Few at a time, as a file may do.
    int count = Math.min(Math.min(into.remaining(), bytes.length - at), 1000);
    into.put(bytes, at, count);
    at += count;
    return count;
  }

  @Override
  public int write(ByteBuffer from) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long position() {
    return at;
  }

  @Override
  public SeekableByteChannel position(long position) {
    at = (int) position;
    return this;
  }

  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public SeekableByteChannel truncate(long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public void close() {}
}
