package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreloadTest {

  @Test
  void onlyWhatALibraryWouldNotFindByItself(@TempDir Path root) throws IOException {
    Path libjvm = Path.of(System.getProperty("java.home"), "lib/server/libjvm.so");
    assumeTrue(Files.isRegularFile(libjvm), "no ELF libjvm.so here");
    ElfFile elf = ElfFile.read(libjvm);
    assumeTrue(elf.runPath().isEmpty(), "this libjvm.so knows where to look");
    String needed = elf.needed().get(0);
    assertThat(Preload.neededFromFolder(libjvm, root)).isEmpty();
    Path beside = Files.write(root.resolve(needed), PlaceholderLibrary.of(needed, new TreeSet<>()));
    assertThat(Preload.neededFromFolder(libjvm, root)).containsExactly(beside);
    assertThat(Preload.neededFromFolder(beside, root)).isEmpty();
    Path text = Files.writeString(root.resolve("SHA256SUMS"), "no library");
    assertThat(Preload.neededFromFolder(text, root)).isEmpty();
  }
}
