package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/** SHA-256, and the lists of it that {@code sha256sum} reads and writes. */
final class Checksums {

  static final String FILE = "SHA256SUMS";

  private Checksums() {}

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }

  static String of(Path file) throws IOException {
    MessageDigest digest = sha256();
    byte[] buffer = new byte[1 << 20];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return hex(digest);
  }

  /** One line per file: the sum, two blanks, the name. */
  static String list(Map<String, String> sumByName) {
    StringBuilder text = new StringBuilder();
    sumByName.forEach((name, sum) -> text.append(sum).append("  ").append(name).append('\n'));
    return text.toString();
  }

  /** Reads such a list: sums by name, in the order of the file. */
  static Map<String, String> read(Path file) throws IOException {
    Map<String, String> sums = new LinkedHashMap<>();
    for (String line : Files.readAllLines(file)) {
      if (!line.matches("[0-9a-f]{64} [ *].+")) {
        throw new NativeConfigException(file + " holds a line that is no checksum: '" + line + "'");
      }
      sums.put(line.substring(66), line.substring(0, 64));
    }
    return sums;
  }
}
