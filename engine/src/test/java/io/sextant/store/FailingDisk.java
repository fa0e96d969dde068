package io.sextant.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/** A disk that is full after so many bytes over all its files. */
final class FailingDisk implements AtomicFiles.Disk {

  private long room;

  private FailingDisk(long room) {
    this.room = room;
  }

  static FailingDisk withRoomFor(long bytes) {
    return new FailingDisk(bytes);
  }

  @Override
  public WritableByteChannel create(Path file) throws IOException {
    WritableByteChannel real = AtomicFiles.DISK.create(file);
    return new WritableByteChannel() {
      @Override
      public int write(ByteBuffer from) throws IOException {
        if (!from.hasRemaining()) {
          return 0;
        }
        if (room == 0) {
          throw new IOException("No space left on device");
        }
        ByteBuffer part = from.slice().limit((int) Math.min(from.remaining(), room));
        int written = real.write(part);
        from.position(from.position() + written);
        room -= written;
        return written;
      }

      @Override
      public boolean isOpen() {
        return real.isOpen();
      }

      @Override
      public void close() throws IOException {
        real.close();
      }
    };
  }
}
