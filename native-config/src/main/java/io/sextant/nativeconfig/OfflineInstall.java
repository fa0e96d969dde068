package io.sextant.nativeconfig;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * The last step of {@code install.sh}, run by the Java runtime of the bundle itself, so that the
 * host needs no program that unpacks: the libraries are decompressed and their SHA-256 is checked.
 */
public final class OfflineInstall {

  static final String COMPRESSED = ".gz";

  private OfflineInstall() {}

  /** Unpacks the libraries in the folder of an unpacked bundle; status 1 if one is damaged. */
  public static void main(String[] args) {
    try {
      int count = unpack(Path.of(args[0]).resolve("lib"));
      System.out.println("install.sh: " + count + " libraries unpacked and checked");
    } catch (IOException | NativeConfigException e) {
      System.err.println("install.sh: " + e.getMessage());
      System.exit(1);
    }
  }

  static int unpack(Path folder) throws IOException {
    Map<String, String> sums = Checksums.read(folder.resolve(Checksums.FILE));
    for (Map.Entry<String, String> library : sums.entrySet()) {
      Path compressed = folder.resolve(library.getKey() + COMPRESSED);
      MessageDigest digest = Checksums.sha256();
      try (InputStream in =
              new GZIPInputStream(
                  new BufferedInputStream(Files.newInputStream(compressed)), 1 << 16);
          OutputStream out =
              new DigestOutputStream(
                  Files.newOutputStream(folder.resolve(library.getKey())), digest)) {
        in.transferTo(out);
      }
      if (!Checksums.hex(digest).equals(library.getValue())) {
        throw new NativeConfigException(
            library.getKey() + " is not what was packed; make the bundle again");
      }
      Files.delete(compressed);
    }
    return sums.size();
  }
}
