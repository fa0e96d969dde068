package io.sextant.nativeconfig;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks Linux to keep large memory in pages of 2 MiB. Rows that are read here and there from a table
 * of hundreds of megabytes miss the processor's table of pages nearly each time where pages have 4
 * KiB, and that is a good part of such a read.
 *
 * <p>Linux does it on request where {@code /sys/kernel/mm/transparent_hugepage/enabled} says {@code
 * madvise} or {@code always}; elsewhere nothing is done.
 *
 * <p>Thread safety: safe.
 */
public final class HugePages {

  private static final Logger log = LoggerFactory.getLogger(HugePages.class);

  /** Below this the processor's table of pages holds out. */
  static final int MIN_BYTES = 8 << 20;

  private static final int PAGE = 4096;
  private static final int MADV_HUGEPAGE = 14;

  /** Now, and not when the kernel comes round to it; since Linux 6.1. */
  private static final int MADV_COLLAPSE = 25;

  private HugePages() {}

  /**
   * Asks for memory that will stay for a while.
   *
   * @param direct a direct buffer, from its start to its capacity; smaller ones than 8 MiB are left
   *     alone
   * @return whether the system took the request
   */
  public static boolean ask(ByteBuffer direct) {
    if (direct.capacity() < MIN_BYTES || !Allowed.HERE) {
      return false;
    }
    long start = OpenBlas.address(direct);
    long from = (start + PAGE - 1) / PAGE * PAGE;
    long bytes = (start + direct.capacity() - from) / PAGE * PAGE;
    try {
      Function madvise = NativeLibrary.getProcess().getFunction("madvise");
      boolean taken = madvise.invokeInt(new Object[] {from, bytes, MADV_HUGEPAGE}) == 0;
      if (taken) {
        // It may find too few free ones; then the kernel goes on trying by itself.
        madvise.invokeInt(new Object[] {from, bytes, MADV_COLLAPSE});
      }
      return taken;
    } catch (LinkageError | RuntimeException e) {
      log.debug("no large pages: {}", e.toString());
      return false;
    }
  }

  private static final class Allowed {
    static final boolean HERE = allowed();

    private static boolean allowed() {
      if (!Platform.isLinux() || !Platform.is64Bit()) {
        return false;
      }
      try {
        return !Files.readString(Path.of("/sys/kernel/mm/transparent_hugepage/enabled"))
            .contains("[never]");
      } catch (IOException e) {
        return false;
      }
    }
  }
}
