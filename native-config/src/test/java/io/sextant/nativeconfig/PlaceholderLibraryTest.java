package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.NativeLibrary;
import io.sextant.nativeconfig.ElfSymbols.Symbol;
import io.sextant.nativeconfig.testing.ForkedJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlaceholderLibraryTest {

  @TempDir Path root;

  private static byte[] library() {
    TreeSet<Symbol> functions =
        new TreeSet<>(
            List.of(
                new Symbol("cuPlan", "libcux.so.11"),
                new Symbol("cuGetErrorString", "libcux.so.11"),
                new Symbol("cuGetVersion", ""),
                new Symbol("cuOther", "NEWER")));
    IntStream.range(0, 300).forEach(i -> functions.add(new Symbol("cuMany" + i, "libcux.so.11")));
    return PlaceholderLibrary.of("libcux.so.11", functions);
  }

  @Test
  void offersWhatWasAskedFor() throws IOException {
    Path file = Files.write(root.resolve("libcux.so.11"), library());
    ElfFile elf = ElfFile.read(file);
    assertThat(elf.soname()).isEqualTo("libcux.so.11");
    assertThat(elf.needed()).isEmpty();
    ElfSymbols symbols = ElfSymbols.read(file);
    assertThat(symbols.undefined()).isEmpty();
    assertThat(symbols.defined())
        .hasSize(304)
        .contains(
            new Symbol("cuPlan", "libcux.so.11"),
            new Symbol("cuGetVersion", ""),
            new Symbol("cuOther", "NEWER"),
            new Symbol("cuMany299", "libcux.so.11"));
  }

  @Test
  void theHashIsTheAbis() {
    // Worked out by hand from the ABI's text.
    assertThat(PlaceholderLibrary.hash("")).isZero();
    assertThat(PlaceholderLibrary.hash("ab")).isEqualTo(0x61 * 16 + 0x62);
    assertThat(PlaceholderLibrary.hash("printf")).isEqualTo(0x077905a6);
  }

  @Test
  void aCallSaysWhatIsMissingAndFails() throws IOException {
    assumeTrue(
        NativePlatform.classifier().equals(CudaLibtorch.PLATFORM), "the code is for linux-x86_64");
    Path file = Files.write(root.resolve("libcux.so.11"), library());
    ForkedJvm.Result result = ForkedJvm.run(Caller.class, Map.of(), "-Dplaceholder=" + file);
    assertThat(result.exit()).as(result.output()).isZero();
    assertThat(result.output())
        .contains("libcux.so.11: a placeholder of this bundle, without cuPlan; make the bundle")
        .contains("plan 1")
        .contains("without cuMany299")
        .contains("many 1")
        .contains("version 0")
        .contains("text libcux.so.11: a placeholder of this bundle, without cuGetErrorString");
  }

  /** Loads the library as the system does and calls into it. */
  public static final class Caller {

    private Caller() {}

    public static void main(String[] args) {
      NativeLibrary library = NativeLibrary.getInstance(System.getProperty("placeholder"));
      Object[] arguments = {1, 2L, 3.0};
      say("plan " + library.getFunction("cuPlan").invokeInt(arguments));
      say("many " + library.getFunction("cuMany299").invokeInt(arguments));
      say("version " + library.getFunction("cuGetVersion").invokeLong(arguments));
      say("text " + library.getFunction("cuGetErrorString").invokeString(arguments, false));
    }

    private static void say(String line) {
      System.out.println(line);
    }
  }
}
