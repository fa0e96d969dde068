package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeReportTest {

  @TempDir Path root;

  private Map<String, String> env = Map.of();
  private List<NativeJar> jars = List.of(NativeChecksTest.CPU, NativeChecksTest.JNI);
  private Cores cores = new Cores(8, 4, 8);
  private Optional<String> glibc = Optional.of("2.36");
  private boolean musl;
  private Optional<String> wait = Optional.of("passive");
  private int ompNumThreads;
  private int jdk = 25;
  private boolean nativeAccess = true;
  private int devices;
  private Optional<NativeRuntime.State> state = Optional.empty();
  private final NativeConfig.Builder config = NativeConfig.builder().flavor(Flavor.CPU).threads(4);

  private NativeReport report() {
    return NativeReport.of(
        config.build(),
        new NativeReport.Facts(
            "linux-x86_64",
            env,
            new Properties(),
            root,
            jars,
            cores,
            glibc,
            musl,
            "glibc 2.36",
            wait,
            ompNumThreads,
            jdk,
            nativeAccess,
            new CudaDriver(devices, devices > 0 ? "" : "there is no driver"),
            state));
  }

  private List<String> codes() {
    return report().warnings().stream().map(NativeWarning::code).toList();
  }

  @Test
  void aGoodMachineHasNothingToMend() {
    NativeReport report = report();
    assertThat(report.warnings()).isEmpty();
    assertThat(report.hasErrors()).isFalse();
    assertThat(report.flavor()).isEqualTo("cpu");
    assertThat(report.libtorch()).contains("2.7.1");
    assertThat(report.flavorReason()).contains("jar");
    assertThat(report.jars()).hasSize(2);
    assertThat(report.lines()).anyMatch(l -> l.contains("4 of 8 processors"));
    assertThat(report.lines()).contains("jar           pytorch-jni 2.7.1-0.36.0, jni.jar");
  }

  @Test
  void spinningOpenMp() {
    wait = Optional.of("ACTIVE");
    assertThat(codes()).containsExactly("spinning-openmp");
    wait = Optional.empty();
    assertThat(codes()).as("not prepared yet, but it would be set").isEmpty();
    state =
        Optional.of(
            new NativeRuntime.State(
                config.build(), Optional.empty(), Map.of(), List.of(), List.of(), false));
    assertThat(codes()).as("prepared, and yet not set").containsExactly("spinning-openmp");
    config.threads(1);
    assertThat(codes()).as("a single thread does not spin").isEmpty();
  }

  @Test
  void threadsAndCores() {
    config.threads(9);
    assertThat(codes()).containsExactly("more-threads-than-cores");
    config.threads(5);
    assertThat(codes()).containsExactly("threads-share-cores");
    cores = new Cores(2, 2, 2);
    config.threads(2);
    assertThat(codes()).containsExactly("all-cores-taken");
    assertThat(report().warnings().get(0).mend()).contains("SEXTANT_THREADS=1");
    config.threads(1);
    assertThat(codes()).isEmpty();
    ompNumThreads = 2;
    assertThat(codes()).containsExactly("omp-num-threads");
  }

  @Test
  void jarsThatDoNotBelong() {
    jars =
        List.of(
            NativeChecksTest.CPU,
            NativeChecksTest.jar("2.7.1", "cpu", "win-x86_64"),
            NativeChecksTest.JNI);
    assertThat(codes())
        .containsExactlyInAnyOrder("several-pytorch-native-jars", "foreign-pytorch-native-jar");
  }

  @Test
  void whatCannotWorkIsAnErrorAndFirst() {
    jars = List.of(NativeChecksTest.CPU);
    wait = Optional.of("active");
    NativeReport report = report();
    assertThat(report.hasErrors()).isTrue();
    assertThat(report.warnings())
        .extracting(NativeWarning::code)
        .containsExactly("native-libraries", "spinning-openmp");
    assertThat(report.warnings().get(0).message()).contains("pytorch-jni is missing");
  }

  @Test
  void systemsThatLibtorchDoesNotRunOn() {
    glibc = Optional.of("2.28");
    assertThat(codes()).containsExactly("old-glibc");
    glibc = Optional.of("2.29");
    assertThat(codes()).isEmpty();
    glibc = Optional.of("3.0");
    assertThat(codes()).isEmpty();
    glibc = Optional.empty();
    musl = true;
    assertThat(codes()).containsExactly("musl");
    assertThat(report().cLibrary()).isEqualTo("musl");
  }

  @Test
  void devices() {
    devices = 2;
    assertThat(codes()).containsExactly("unused-gpu");
    config.flavor(Flavor.CU128);
    jars = List.of(NativeChecksTest.jar("2.7.1", "cu128", "linux-x86_64"), NativeChecksTest.JNI);
    assertThat(codes()).isEmpty();
    devices = 0;
    assertThat(codes()).containsExactly("no-cuda-device");
  }

  @Test
  void theJvmAndTheNetwork() {
    nativeAccess = false;
    assertThat(codes()).containsExactly("native-access");
    jdk = 23;
    assertThat(codes()).isEmpty();
    env = Map.of("DJL_OFFLINE", "false", "OPT_OUT_TRACKING", "no");
    assertThat(codes()).containsExactlyInAnyOrder("djl-offline", "djl-telemetry");
  }

  @Test
  void aLocalLibtorch() throws Exception {
    Path lib = LocalLibtorchTest.libtorch(root.resolve("bare"), false);
    config.flavor(Flavor.LOCAL).libraryPath(lib);
    assertThat(codes())
        .containsExactlyInAnyOrder("jar-beside-local-libtorch", "unknown-libtorch-version");
    assertThat(report().libraryPath()).contains(lib);
    assertThat(report().flavorReason()).contains(lib.toString());
  }

  @Test
  void thisProcess() {
    NativeReport report = NativeReport.inspect();
    assertThat(report.hasErrors()).as("%s", report.lines()).isFalse();
    assertThat(report.jars())
        .extracting(NativeJar::artifact)
        .containsExactlyInAnyOrder("pytorch-native", "pytorch-jni");
    assertThat(report.availableCores()).isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(report.ompWaitPolicy()).as("surefire sets it").contains("passive");
  }

  @Test
  void muslIsKnownByItsLoader() throws Exception {
    assertThat(CLibrary.isMusl(root)).isFalse();
    assertThat(CLibrary.isMusl(root.resolve("absent"))).isFalse();
  }

  @Test
  void flagsForALauncher() {
    NativeConfig c = config.build();
    assertThat(LaunchFlags.forJdk(17, c).jvmFlags()).containsExactly("-Dai.djl.offline=true");
    assertThat(LaunchFlags.forJdk(25, c).jvmFlags())
        .containsExactly("--enable-native-access=ALL-UNNAMED", "-Dai.djl.offline=true");
    assertThat(LaunchFlags.forJdk(25, c).environment())
        .containsEntry("OMP_WAIT_POLICY", "passive")
        .containsEntry("OMP_NUM_THREADS", "4")
        .containsEntry("OPT_OUT_TRACKING", "true")
        .containsEntry("MALLOC_MMAP_THRESHOLD_", "33554432");
    assertThat(LaunchFlags.forRunningJdk(c))
        .isEqualTo(LaunchFlags.forJdk(Runtime.version().feature(), c));
  }

  @Test
  void whatKeepsLibtorchFromAGpuIsTold() throws IOException {
    assertThat(report().noGpuBecause())
        .isEqualTo("libtorch is the cpu build, and there is no driver");
    devices = 1;
    assertThat(report().noGpuBecause()).isEqualTo("libtorch is the cpu build");
    jars = List.of(NativeChecksTest.JNI);
    LocalLibtorchTest.libtorch(root.resolve("2.7.1-cu128-linux-x86_64"), true);
    config.flavor(Flavor.CU128);
    assertThat(report().noGpuBecause()).isEmpty();
    assertThat(report().libraryPath()).contains(root.resolve("2.7.1-cu128-linux-x86_64"));
    devices = 0;
    assertThat(report().noGpuBecause()).isEqualTo("there is no driver");
    assertThat(report().warnings())
        .anyMatch(
            w -> w.code().equals("no-cuda-device") && w.message().contains("there is no driver"));
    assertThat(CudaDriver.tooOld(11_040)).contains("CUDA 11.4").contains("CUDA 12");
  }
}
