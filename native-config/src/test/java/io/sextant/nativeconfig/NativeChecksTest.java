package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeChecksTest {

  private static final String PLATFORM = "linux-x86_64";
  static final NativeJar JNI = new NativeJar("pytorch-jni", "2.7.1-0.36.0", "", "", "jni.jar");
  static final NativeJar CPU = jar("2.7.1", "cpu", PLATFORM);

  @TempDir Path root;

  static NativeJar jar(String version, String flavor, String classifier) {
    return new NativeJar(
        "pytorch-native", version, flavor, classifier, flavor + "-" + classifier + ".jar");
  }

  private static NativeConfig.Builder config(Flavor flavor) {
    return NativeConfig.builder().threads(2).flavor(flavor);
  }

  private Optional<LocalLibtorch> check(
      NativeConfig.Builder config, Map<String, String> env, NativeJar... jars) {
    return NativeChecks.library(config.build(), env, root, List.of(jars), PLATFORM);
  }

  @Test
  void theFittingJarIsTaken() {
    assertThat(check(config(Flavor.CPU), Map.of(), CPU, JNI)).isEmpty();
    assertThat(check(config(Flavor.CU128), Map.of(), jar("2.7.1", "cu128", PLATFORM), JNI))
        .isEmpty();
  }

  @Test
  void noLibtorchSaysWhatToAdd() {
    assertThatThrownBy(() -> check(config(Flavor.CPU), Map.of(), JNI))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("no pytorch-native jar")
        .hasMessageContaining("pytorch-native-cpu:2.7.1")
        .hasMessageContaining(PLATFORM);
    assertThatThrownBy(
            () -> check(config(Flavor.CPU), Map.of(), jar("2.7.1", "cpu", "osx-aarch64"), JNI))
        .hasMessageContaining("cpu for osx-aarch64");
  }

  @Test
  void aDownloadOrACacheWillDo() throws IOException {
    assertThat(check(config(Flavor.CU128).offline(false), Map.of(), JNI)).isEmpty();
    LocalLibtorchTest.libtorch(root.resolve("2.7.1-cu128-" + PLATFORM), true);
    assertThat(check(config(Flavor.CU128), Map.of(), JNI))
        .map(LocalLibtorch::folder)
        .contains(root.resolve("2.7.1-cu128-" + PLATFORM));
    assertThat(check(config(Flavor.CU128), Map.of(), CPU, JNI))
        .as("DJL is pointed to the folder, whatever jar is beside it")
        .isPresent();
    assertThat(check(config(Flavor.CPU), Map.of(), CPU, JNI)).isEmpty();
  }

  @Test
  void aCpuJarIsNoCudaBuild() {
    assertThatThrownBy(() -> check(config(Flavor.CU128).offline(false), Map.of(), CPU, JNI))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(CPU.location());
  }

  @Test
  void aJarOfAnotherVersionIsRefused() {
    assertThatThrownBy(
            () -> check(config(Flavor.CPU), Map.of(), jar("2.5.1", "cpu", PLATFORM), JNI))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("2.5.1")
        .hasMessageContaining("2.7.1");
  }

  @Test
  void theJniMustBeThereAndFit() throws IOException {
    assertThatThrownBy(() -> check(config(Flavor.CPU), Map.of(), CPU))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("pytorch-jni:2.7.1-0.36.0");
    NativeJar old = new NativeJar("pytorch-jni", "2.5.1-0.32.0", "", "", "old.jar");
    assertThatThrownBy(() -> check(config(Flavor.CPU), Map.of(), CPU, old))
        .hasMessageContaining("old.jar");
    Path lib = LocalLibtorchTest.libtorch(root.resolve("lib"), false);
    assertThatThrownBy(() -> check(config(Flavor.LOCAL).libraryPath(lib), Map.of()))
        .hasMessageContaining("pytorch-jni is missing");
    Files.writeString(lib.resolve("0.36.0-" + System.mapLibraryName("djl_torch")), "");
    assertThat(check(config(Flavor.LOCAL).libraryPath(lib), Map.of())).isPresent();
  }

  @Test
  void aCpuFolderIsNoCudaBuild() throws IOException {
    Path lib = LocalLibtorchTest.libtorch(root.resolve("lib"), false);
    assertThatThrownBy(() -> check(config(Flavor.CU128).libraryPath(lib), Map.of(), JNI))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(lib.toString())
        .hasMessageContaining("CPU build");
  }

  @Test
  void aVariableOfDjlThatContradictsIsRefused() throws IOException {
    Path lib = LocalLibtorchTest.libtorch(root.resolve("lib"), false);
    Path other = LocalLibtorchTest.libtorch(root.resolve("other"), false);
    NativeConfig.Builder local = config(Flavor.LOCAL).libraryPath(lib);
    assertThat(check(local, Map.of("PYTORCH_LIBRARY_PATH", lib.toString()), JNI)).isPresent();
    assertThatThrownBy(() -> check(local, Map.of("PYTORCH_LIBRARY_PATH", other.toString()), JNI))
        .hasMessageContaining("PYTORCH_LIBRARY_PATH")
        .hasMessageContaining(other.toString());
    assertThatThrownBy(() -> check(local, Map.of("PYTORCH_VERSION", "2.6.0"), JNI))
        .hasMessageContaining("PYTORCH_VERSION is '2.6.0'");
    assertThatThrownBy(() -> check(local, Map.of("PYTORCH_FLAVOR", "cu128"), JNI))
        .hasMessageContaining("PYTORCH_FLAVOR is 'cu128'");
  }

  @Test
  void aLocalLibtorchSetsAllThreeOfDjlsProperties() throws IOException {
    Path lib = LocalLibtorchTest.libtorch(root.resolve("lib"), true);
    NativeConfig config = config(Flavor.LOCAL).libraryPath(lib).interopThreads(3).build();
    Map<String, String> properties =
        NativeRuntime.properties(config, Optional.of(LocalLibtorch.inspect(lib, "test")));
    assertThat(properties)
        .containsEntry("PYTORCH_LIBRARY_PATH", lib.toString())
        .containsEntry("PYTORCH_VERSION", "2.7.1")
        .containsEntry("PYTORCH_FLAVOR", "cu128")
        .containsEntry("jna.library.path", lib.toString())
        .containsEntry("ai.djl.pytorch.num_threads", "2")
        .containsEntry("ai.djl.pytorch.num_interop_threads", "3")
        .containsEntry("ai.djl.offline", "true")
        .containsEntry("OPT_OUT_TRACKING", "true");
    assertThat(NativeRuntime.properties(config(Flavor.CPU).build(), Optional.empty()))
        .doesNotContainKeys("PYTORCH_LIBRARY_PATH", "PYTORCH_VERSION", "PYTORCH_FLAVOR");
  }

  @Test
  void thePlatformsName() {
    assertThat(NativePlatform.classifier("Linux", "amd64")).isEqualTo("linux-x86_64");
    assertThat(NativePlatform.classifier("Linux", "aarch64")).isEqualTo("linux-aarch64");
    assertThat(NativePlatform.classifier("Mac OS X", "aarch64")).isEqualTo("osx-aarch64");
    assertThat(NativePlatform.classifier("Windows 11", "amd64")).isEqualTo("win-x86_64");
    assertThat(NativePlatform.WITH_CPU_JAR).contains(NativePlatform.classifier());
  }
}
