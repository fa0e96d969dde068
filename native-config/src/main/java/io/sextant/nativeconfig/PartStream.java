package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A stream that is cut into files of at most so many bytes, with the SHA-256 of each. */
final class PartStream extends OutputStream {

  /** Opens the file of a part. */
  interface Opener {
    OutputStream open(String name) throws IOException;
  }

  static final int MAX_PARTS = 1000;

  private final String prefix;
  private final long partBytes;
  private final Opener opener;
  private final List<OfflineBundle.Part> parts = new ArrayList<>();
  private OutputStream current = OutputStream.nullOutputStream();
  private MessageDigest digest = Checksums.sha256();
  private long written;
  private boolean open;

  PartStream(String prefix, long partBytes, Opener opener) {
    this.prefix = prefix;
    this.partBytes = partBytes;
    this.opener = opener;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int at = offset;
    int left = length;
    while (left > 0) {
      if (!open || written == partBytes) {
        next();
      }
      int n = (int) Math.min(left, partBytes - written);
      current.write(bytes, at, n);
      digest.update(bytes, at, n);
      written += n;
      at += n;
      left -= n;
    }
  }

  private String name(int number) {
    return String.format(Locale.ROOT, "%s.part-%03d", prefix, number);
  }

  private void next() throws IOException {
    finish();
    if (parts.size() == MAX_PARTS) {
      throw new NativeConfigException(
          "parts of %d bytes make more than %d of them; choose a larger --part-size"
              .formatted(partBytes, MAX_PARTS));
    }
    current = opener.open(name(parts.size()));
    digest = Checksums.sha256();
    written = 0;
    open = true;
  }

  private void finish() throws IOException {
    if (open) {
      current.close();
      parts.add(new OfflineBundle.Part(name(parts.size()), written, Checksums.hex(digest)));
      open = false;
    }
  }

  @Override
  public void close() throws IOException {
    finish();
  }

  /** What was written; all of it once the stream is closed. */
  List<OfflineBundle.Part> parts() {
    return List.copyOf(parts);
  }
}
