package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocalLibtorchTest {

  static Path libtorch(Path folder, boolean cuda) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve(System.mapLibraryName("torch")), "");
    Files.writeString(folder.resolve(System.mapLibraryName("torch_cpu")), "");
    if (cuda) {
      Files.writeString(folder.resolve(System.mapLibraryName("torch_cuda")), "");
    }
    return folder;
  }

  @Test
  void theUnpackedDistribution(@TempDir Path root) throws IOException {
    Path lib = libtorch(root.resolve("lib"), true);
    Files.writeString(root.resolve("build-version"), "2.7.1+cu128\n");
    LocalLibtorch expected = LocalLibtorch.inspect(root, "test");
    assertThat(expected.folder()).isEqualTo(lib);
    assertThat(expected.version()).contains("2.7.1");
    assertThat(expected.cuda()).isTrue();
    assertThat(LocalLibtorch.inspect(lib, "test")).isEqualTo(expected);
    assertThat(LocalLibtorch.inspect(lib.resolve(System.mapLibraryName("torch")), "test"))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "lib,build-version,2.10.0+cpu,2.10.0",
    "lib,version.py,__version__ = '2.6.0+cu124',2.6.0",
    "lib,lib/build-version,2.7.0,2.7.0",
    "lib,share/cmake/Torch/TorchConfigVersion.cmake,set(PACKAGE_VERSION \"2.5.1\"),2.5.1",
    "2.4.0-20240819-cpu-linux-x86_64,unrelated,2.7.1,2.4.0",
  })
  void anotherVersionIsRefused(
      String folder, String file, String content, String version, @TempDir Path root)
      throws IOException {
    Path lib = libtorch(root.resolve(folder), false);
    Files.createDirectories(root.resolve(file).getParent());
    Files.writeString(root.resolve(file), content);
    assertThatThrownBy(() -> LocalLibtorch.inspect(lib, "SEXTANT_LIBTORCH"))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("SEXTANT_LIBTORCH")
        .hasMessageContaining(lib.toString())
        .hasMessageContaining("libtorch " + version)
        .hasMessageContaining("2.7.1");
  }

  @Test
  void djlsCacheNamesItsVersion(@TempDir Path root) throws IOException {
    Path lib = libtorch(root.resolve("2.7.1-20250812-cpu-linux-x86_64"), false);
    assertThat(LocalLibtorch.inspect(lib, "test").version()).contains("2.7.1");
  }

  @Test
  void bareLibrariesHaveNoKnownVersion(@TempDir Path root) throws IOException {
    LocalLibtorch found = LocalLibtorch.inspect(libtorch(root.resolve("bare"), false), "test");
    assertThat(found.version()).isEmpty();
    assertThat(found.cuda()).isFalse();
  }

  @Test
  void aFolderWithoutLibtorchIsRefusedAndNamed(@TempDir Path root) {
    assertThatThrownBy(() -> LocalLibtorch.inspect(root, "SEXTANT_LIBTORCH"))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(root.toString())
        .hasMessageContaining(System.mapLibraryName("torch"));
    Path absent = root.resolve("absent");
    assertThatThrownBy(() -> LocalLibtorch.inspect(absent, "SEXTANT_LIBTORCH"))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(absent + " does not exist");
  }
}
