package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Small jars in the place of the real ones, which together have 3 GB. */
class CudaLibtorchTest {

  @TempDir Path root;

  private Path cache;
  private Path folder;
  private Path torchJar;
  private Path cudaJar;
  private LibraryList list;
  private final List<String> said = new ArrayList<>();

  @BeforeEach
  void twoArtifacts() throws IOException {
    cache = root.resolve("cache");
    folder = cache.resolve("2.7.1-cu128-linux-x86_64");
    Path repository = root.resolve("repository");
    torchJar = repository.resolve("org/example/torch/2.7.1/torch-2.7.1-linux-x86_64-gpu.jar");
    jar(torchJar, Map.of("org/x/libtorch.so", "torch", "org/x/libtorch_cuda.so", "kernels"));
    cudaJar = root.resolve("flat/cuda-12-linux-x86_64.jar");
    jar(cudaJar, Map.of("a/libcudart.so.12", "runtime", "a/libnccl.so.2", "not taken"));
    list =
        LibraryList.parse(
            List.of(
                "# a comment",
                "artifact org.example:torch:2.7.1:linux-x86_64-gpu",
                "sha256 " + Checksums.of(torchJar),
                "licence BSD-3-Clause",
                "core libtorch.so libtorch_cuda.so",
                "",
                "artifact org.example:cuda:12:linux-x86_64",
                "sha256 " + Checksums.of(cudaJar),
                "licence EULA",
                "unused libcudart.so.12"));
  }

  static void jar(Path jar, Map<String, String> content) throws IOException {
    Files.createDirectories(jar.getParent());
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (Map.Entry<String, String> entry : content.entrySet()) {
        out.putNextEntry(new ZipEntry(entry.getKey()));
        out.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
        out.closeEntry();
      }
    }
  }

  private Path install(Path... sources) {
    return CudaLibtorch.install(list, List.of(sources), cache, said::add);
  }

  private void assertNothingLeft() throws IOException {
    if (Files.exists(cache)) {
      try (var files = Files.list(cache)) {
        assertThat(files).isEmpty();
      }
    }
  }

  @Test
  void takesTheListedFilesFromRepositoriesFoldersAndJars() throws IOException {
    assertThat(install(root.resolve("repository"), root.resolve("flat"))).isEqualTo(folder);
    assertThat(folder.resolve("libtorch.so")).hasContent("torch");
    assertThat(folder.resolve("libtorch_cuda.so")).hasContent("kernels");
    assertThat(folder.resolve("libcudart.so.12")).hasContent("runtime");
    assertThat(folder.resolve("libnccl.so.2")).doesNotExist();
    Map<String, String> sums = Checksums.read(folder.resolve("SHA256SUMS"));
    assertThat(sums).containsOnlyKeys(list.files().keySet());
    assertThat(sums.get("libtorch.so")).isEqualTo(Checksums.of(folder.resolve("libtorch.so")));
    LocalLibtorch found = LocalLibtorch.inspect(folder, "test");
    assertThat(found.version()).contains("2.7.1");
    assertThat(found.cuda()).isTrue();
    try (var files = Files.list(cache)) {
      assertThat(files).containsExactly(folder);
    }
    said.clear();
    assertThat(install()).as("it is there already, so no jar is needed").isEqualTo(folder);
    assertThat(said).containsExactly("already there: " + folder);
  }

  @Test
  void jarsCanBeNamedOneByOne() {
    assertThat(install(cudaJar, torchJar)).isEqualTo(folder);
  }

  @Test
  void missingArtifactsAreAllNamed() throws IOException {
    assertThatThrownBy(() -> install(root.resolve("nowhere")))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("org.example:torch:2.7.1:linux-x86_64-gpu, org.example:cuda:12")
        .hasMessageContaining("nowhere")
        .hasMessageContaining("mvn -P cu128");
    assertNothingLeft();
  }

  @Test
  void anotherJarOfThatNameIsRefused() throws IOException {
    String pinned = Checksums.of(cudaJar);
    jar(cudaJar, Map.of("a/libcudart.so.12", "tampered"));
    assertThatThrownBy(() -> install(torchJar, cudaJar))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(cudaJar.toString())
        .hasMessageContaining(pinned)
        .hasMessageContaining(Checksums.of(cudaJar));
    assertNothingLeft();
    Files.writeString(cudaJar, "half a downl");
    assertThatThrownBy(() -> install(torchJar, cudaJar))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(cudaJar.toString());
    assertNothingLeft();
  }

  @Test
  void aJarWithoutAListedFileIsRefused() throws IOException {
    jar(cudaJar, Map.of("a/libother.so", "x"));
    assertThatThrownBy(() -> install(torchJar, cudaJar))
        .hasMessageContaining(cudaJar + " does not hold libcudart.so.12");
    assertNothingLeft();
  }

  @Test
  void aLostFileOrAnotherListMeansAgain() throws IOException {
    install(torchJar, cudaJar);
    Files.delete(folder.resolve("libtorch_cuda.so"));
    assertThat(CudaLibtorch.isWhole(folder, list)).isFalse();
    install(torchJar, cudaJar);
    assertThat(folder.resolve("libtorch_cuda.so")).exists();
    Files.writeString(folder.resolve("artifacts.txt"), "an older list\n");
    assertThat(CudaLibtorch.isWhole(folder, list)).isFalse();
    install(torchJar, cudaJar);
    assertThat(CudaLibtorch.isWhole(folder, list)).isTrue();
  }

  @Test
  void whatDjlDownloadedIsLeftAlone() throws IOException {
    LocalLibtorchTest.libtorch(folder, true);
    assertThatThrownBy(() -> install(torchJar, cudaJar))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("was not put together by Sextant");
    assertThat(folder.resolve("libtorch_cuda.so")).exists();
  }

  @Test
  void theListOfThisBuildIsWhole() {
    LibraryList real = LibraryList.cu128();
    assertThat(real.artifacts()).hasSize(4);
    assertThat(real.files()).containsKeys("libtorch_cuda.so", "libcublas.so.12", "libcudart.so.12");
    for (LibraryList.Artifact artifact : real.artifacts()) {
      assertThat(artifact.sha256()).matches("[0-9a-f]{64}");
      assertThat(artifact.licence()).isNotBlank();
      assertThat(artifact.toString()).as("Maven filled the version in").doesNotContain("$");
    }
    assertThat(real.artifacts().get(0).repositoryPath())
        .matches("org/bytedeco/pytorch/(2\\.7\\.1-[0-9.]+)/pytorch-\\1-linux-x86_64-gpu\\.jar");
  }
}
