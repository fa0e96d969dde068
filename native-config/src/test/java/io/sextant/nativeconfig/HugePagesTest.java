package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HugePagesTest {

  @Test
  void memoryKeepsItsContentAndTheKernelIsTold() throws IOException {
    Path enabled = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    assumeTrue(
        Files.exists(enabled) && !Files.readString(enabled).contains("[never]"),
        "this system has no transparent large pages");
    ByteBuffer memory = ByteBuffer.allocateDirect(HugePages.MIN_BYTES + 12_345);
    Random random = new Random(1);
    for (int i = 0; i < memory.capacity(); i++) {
      memory.put(i, (byte) random.nextInt());
    }
    assertThat(HugePages.ask(memory)).isTrue();
    assertThat(advised(OpenBlas.address(memory) + HugePages.MIN_BYTES / 2)).isTrue();
    Random again = new Random(1);
    for (int i = 0; i < memory.capacity(); i++) {
      if (memory.get(i) != (byte) again.nextInt()) {
        throw new AssertionError("byte " + i + " has changed");
      }
    }
  }

  /** Whether the mapping around an address has the flag hg. */
  private static boolean advised(long address) throws IOException {
    boolean inside = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        String[] range = line.substring(0, line.indexOf(' ')).split("-");
        inside =
            Long.compareUnsigned(Long.parseUnsignedLong(range[0], 16), address) <= 0
                && Long.compareUnsigned(address, Long.parseUnsignedLong(range[1], 16)) < 0;
      } else if (inside && line.startsWith("VmFlags:")) {
        return line.contains(" hg");
      }
    }
    return false;
  }

  @Test
  void smallMemoryIsLeftAlone() {
    assertThat(HugePages.ask(ByteBuffer.allocateDirect(HugePages.MIN_BYTES - 1))).isFalse();
  }
}
