package io.sextant.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sextant.nativeconfig.BundleLibraries.Edit;
import io.sextant.nativeconfig.BundleLibraries.Library;
import java.io.ByteArrayInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/**
 * A bundle of two small files in the place of libraries and of a program that prints, put together
 * by bash with an emptied environment. The real application goes the same way in the module cli.
 */
@TestInstance(Lifecycle.PER_CLASS)
class OfflineBundleTest {

  private static final long PART = 8 << 20;

  @TempDir static Path root;

  private Path bundle;
  private OfflineBundle.Result made;
  private final List<String> said = new ArrayList<>();

  /** What the bundle runs: it answers to the doctor of install.sh, or fails if it is told to. */
  public static final class Program {

    private Program() {}

    public static void main(String[] args) {
      System.out.println("arguments " + List.of(args));
      for (String name : new String[] {"SEXTANT_FLAVOR", "SEXTANT_LIBTORCH", "OMP_WAIT_POLICY"}) {
        System.out.println(name + "=" + System.getenv(name));
      }
      System.out.println("home " + System.getProperty("java.home"));
      System.exit("refuse".equals(System.getenv("PROGRAM")) ? 3 : 0);
    }
  }

  private static Library library(String name, byte[] bytes, String change, Edit edit) {
    return new Library(
        name, bytes.length, () -> new ByteArrayInputStream(bytes), "BSD-3-Clause", change, edit);
  }

  private static BundleLibraries libraries() {
    byte[] noise = new byte[3 << 20];
    new Random(1).nextBytes(noise);
    return new BundleLibraries(
        List.of(
            library("liba.so", noise, "", Edit.NONE),
            library(
                "libb.so.1",
                "before".getBytes(StandardCharsets.UTF_8),
                "changed",
                file -> Files.writeString(file, "after"))));
  }

  private static OfflineBundle.Options options(long partBytes) {
    List<Path> classPath =
        Arrays.stream(System.getProperty("java.class.path").split(":", -1))
            .map(Path::of)
            .filter(p -> Files.isDirectory(p) || p.toString().matches(".*(jna|slf4j-api).*"))
            .toList();
    return new OfflineBundle.Options(
        Flavor.CPU, "all", partBytes, false, classPath, Program.class.getName(), 1);
  }

  @BeforeAll
  void make() {
    assumeTrue(NativePlatform.classifier().startsWith("linux-"), "bundles are for Linux");
    bundle = root.resolve("bundle");
    made =
        OfflineBundle.write(options(PART), libraries(), bundle, said::add, Files::newOutputStream);
  }

  private record Run(int exit, String output) {}

  private Run bash(Map<String, String> environment, String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of("/bin/bash"));
    all.addAll(List.of(command));
    ProcessBuilder builder = new ProcessBuilder(all).redirectErrorStream(true);
    builder.environment().clear();
    // What a bare host has, and no Java.
    builder.environment().put("PATH", tools().toString());
    builder.environment().putAll(environment);
    Path output = Files.createTempFile(root, "output", ".txt");
    Process process = builder.redirectOutput(output.toFile()).start();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return new Run(process.exitValue(), Files.readString(output));
  }

  /** A folder with the programs that install.sh may use, and no other: bash, tar, coreutils. */
  private Path tools() throws IOException {
    Path tools = root.resolve("tools");
    if (!Files.exists(tools)) {
      Files.createDirectory(tools);
      for (String name :
          List.of(
              "bash",
              "tar",
              "cat",
              "chmod",
              "df",
              "dirname",
              "mkdir",
              "mktemp",
              "mv",
              "readlink",
              "rm",
              "sha256sum")) {
        script(tools.resolve(name), name);
      }
    }
    return tools;
  }

  private static void script(Path file, String name) throws IOException {
    Path real = Path.of("/usr/bin", name);
    String program = Files.exists(real) ? real.toString() : "/bin/" + name;
    Files.writeString(file, "#!/bin/bash\nexec " + program + " \"$@\"\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private Run install(Path parts, Path target, String... more) throws Exception {
    List<String> command =
        new ArrayList<>(List.of(bundle.resolve("install.sh").toString(), target.toString()));
    command.add(parts.toString());
    command.addAll(List.of(more));
    return bash(Map.of(), command.toArray(String[]::new));
  }

  private Path copyOfParts(String name) throws IOException {
    Path copy = Files.createDirectory(root.resolve(name));
    try (Stream<Path> files = Files.list(bundle)) {
      for (Path file : files.toList()) {
        Files.createLink(copy.resolve(file.getFileName()), file);
      }
    }
    return copy;
  }

  private void assertNothingIn(Path parent) throws IOException {
    try (Stream<Path> files = Files.list(parent)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void thePartsAreOfTheSizeAskedForAndListed() throws IOException {
    assertThat(made.parts()).hasSizeGreaterThan(2);
    for (OfflineBundle.Part part : made.parts()) {
      Path file = bundle.resolve(part.name());
      assertThat(Files.size(file)).isEqualTo(part.bytes()).isLessThanOrEqualTo(PART);
      assertThat(Checksums.of(file)).isEqualTo(part.sha256());
    }
    assertThat(made.parts().get(0).bytes()).isEqualTo(PART);
    assertThat(made.parts().get(0).name()).isEqualTo("sextant-cpu.part-000");
    TreeSet<String> names = new TreeSet<>(List.of("SHA256SUMS", "install.sh", "NOTICE.txt"));
    made.parts().forEach(p -> names.add(p.name()));
    try (Stream<Path> files = Files.list(bundle)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(names);
    }
    names.remove("SHA256SUMS");
    assertThat(Checksums.read(bundle.resolve("SHA256SUMS"))).containsOnlyKeys(names);
    assertThat(made.libraries()).containsEntry("liba.so", 3L << 20).containsEntry("libb.so.1", 5L);
    assertThat(bundle.resolve("NOTICE.txt"))
        .content()
        .contains("liba.so, libb.so.1 (changed)\n    BSD-3-Clause")
        .contains("jna-5")
        .contains("Apache-2.0 or LGPL-2.1")
        .contains("GPL-2.0 with the Classpath Exception");
  }

  @Test
  void itIsPutTogetherAndRunsWithNothingElse() throws Exception {
    Path target = root.resolve("a new place/with blanks");
    Run run = install(bundle, target);
    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).contains("2 libraries unpacked and checked").contains("done");
    assertThat(Files.readAllBytes(target.resolve("lib/liba.so"))).hasSize(3 << 20);
    assertThat(target.resolve("lib/libb.so.1")).hasContent("after");
    assertThat(target.resolve("lib/libb.so.1.gz")).doesNotExist();
    assertThat(target.resolve("lib/build-version")).hasContent("2.7.1");
    try (Stream<Path> siblings = Files.list(target.getParent())) {
      assertThat(siblings).containsExactly(target);
    }
    Path link = Files.createSymbolicLink(root.resolve("link"), target.resolve("sextant"));
    Run started =
        bash(
            Map.of("JAVA_TOOL_OPTIONS", "-Dnonsense", "PYTORCH_FLAVOR", "cu999"),
            link.toString(),
            "demo",
            "two words");
    assertThat(started.exit()).as(started.output()).isZero();
    assertThat(started.output())
        .contains("arguments [demo, two words]")
        .contains("SEXTANT_FLAVOR=local")
        .contains("SEXTANT_LIBTORCH=" + target + "/lib")
        .contains("OMP_WAIT_POLICY=passive")
        .contains("home " + target + "/runtime")
        .doesNotContain("nonsense");
    Run again = install(bundle, target);
    assertThat(again.exit()).isEqualTo(1);
    assertThat(again.output()).contains("exists already");
    assertThat(target.resolve("sextant")).exists();
  }

  @Test
  void everyMissingAndEveryDamagedPartIsNamed() throws Exception {
    Path parts = copyOfParts("faulty");
    Path damaged = parts.resolve("sextant-cpu.part-001");
    byte[] bytes = Files.readAllBytes(damaged);
    bytes[bytes.length / 2] ^= 1;
    Files.delete(damaged);
    Files.write(damaged, bytes);
    Files.delete(parts.resolve("sextant-cpu.part-000"));
    Files.delete(parts.resolve("NOTICE.txt"));
    Path parent = Files.createDirectory(root.resolve("faulty-parent"));
    Run run = install(parts, parent.resolve("target"));
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output())
        .contains("missing: sextant-cpu.part-000 NOTICE.txt")
        .contains("damaged: sextant-cpu.part-001\n")
        .contains("nothing was installed");
    assertNothingIn(parent);
  }

  @Test
  void aShortenedListOfSumsIsNoticed() throws Exception {
    Path parts = copyOfParts("short-list");
    List<String> lines = Files.readAllLines(parts.resolve("SHA256SUMS"));
    Files.delete(parts.resolve("SHA256SUMS"));
    Files.write(parts.resolve("SHA256SUMS"), lines.subList(1, lines.size()));
    Path parent = Files.createDirectory(root.resolve("short-parent"));
    Run run = install(parts, parent.resolve("target"));
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output())
        .contains("but the bundle has " + made.parts().size())
        .contains("bring SHA256SUMS again");
    Files.delete(parts.resolve("SHA256SUMS"));
    assertThat(install(parts, parent.resolve("target")).output()).contains("no SHA256SUMS");
    assertNothingIn(parent);
  }

  @Test
  void whatDoesNotRunOnTheHostIsNotInstalled() throws Exception {
    Path parent = Files.createDirectory(root.resolve("refusing-parent"));
    Run run =
        bash(
            Map.of("PROGRAM", "refuse"),
            bundle.resolve("install.sh").toString(),
            parent.resolve("target").toString());
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output()).contains("arguments [doctor]").contains("does not run on this system");
    assertNothingIn(parent);
    Run usage = bash(Map.of(), bundle.resolve("install.sh").toString());
    assertThat(usage.exit()).isEqualTo(2);
    assertThat(usage.output()).contains("usage: bash install.sh TARGET");
  }

  @Test
  void aFullDiskLeavesNothing() throws IOException {
    Path parent = Files.createDirectory(root.resolve("full"));
    assertThatThrownBy(
            () ->
                OfflineBundle.write(
                    options(PART),
                    libraries(),
                    parent.resolve("bundle"),
                    said::add,
                    new NoRuntime(PART + 1000)))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(parent.resolve("bundle").toString())
        .hasMessageContaining("No space left on device");
    assertNothingIn(parent);
  }

  /** Makes no runtime, since that takes seconds, and has a disk of limited size. */
  private static final class NoRuntime implements OfflineBundle.PartFiles {

    private long left;

    NoRuntime(long bytes) {
      left = bytes;
    }

    @Override
    public OutputStream open(Path file) throws IOException {
      return new FilterOutputStream(Files.newOutputStream(file)) {
        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
          left -= length;
          if (left < 0) {
            throw new IOException("No space left on device");
          }
          out.write(bytes, offset, length);
        }
      };
    }

    @Override
    public JavaRuntime runtime(Path target) throws IOException {
      Files.createDirectories(target.resolve("bin"));
      Files.write(target.resolve("bin/java"), new byte[9 << 20]);
      return new JavaRuntime(target, "none");
    }
  }

  @Test
  void aFolderInUseIsLeftAlone() throws IOException {
    Path used = Files.createDirectory(root.resolve("used"));
    Files.writeString(used.resolve("mine"), "x");
    assertThatThrownBy(
            () ->
                OfflineBundle.write(
                    options(PART), libraries(), used, said::add, new NoRuntime(Long.MAX_VALUE)))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining(used + " exists and is no empty folder");
    assertThat(used.resolve("mine")).hasContent("x");
  }

  @Test
  void tooManyPartsAndOddOptionsAreRefused() throws IOException {
    Path parent = Files.createDirectory(root.resolve("many"));
    assertThatThrownBy(
            () ->
                OfflineBundle.write(
                    options(1024),
                    libraries(),
                    parent.resolve("bundle"),
                    said::add,
                    new NoRuntime(Long.MAX_VALUE)))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("larger --part-size");
    assertNothingIn(parent);
    assertThatThrownBy(() -> options(100)).hasMessageContaining("1 KiB but was to have 100");
    assertThatThrownBy(
            () -> new OfflineBundle.Options(Flavor.CU128, "sm90", PART, true, List.of(), "Main", 6))
        .hasMessageContaining("'sm90'");
    assertThatThrownBy(
            () -> new OfflineBundle.Options(Flavor.LOCAL, "all", PART, true, List.of(), "Main", 6))
        .hasMessageContaining("cpu or cu128");
  }

  @Test
  void aLibraryWhoseNeedNobodyHasIsNamed() {
    BundleLibraries.checkWhole(
        Map.of("liba.so", List.of("libc.so.6", "libb.so"), "libb.so", List.of("libcuda.so.1")));
    assertThatThrownBy(
            () -> BundleLibraries.checkWhole(Map.of("liba.so", List.of("libb.so", "libm.so.6"))))
        .isInstanceOf(NativeConfigException.class)
        .hasMessageContaining("liba.so needs libb.so");
  }

  @Test
  void rolesDecideWhatOfACudaLibtorchGoesIntoABundle() throws IOException {
    Path folder = Files.createDirectory(root.resolve("cuda"));
    for (String name : List.of("libtorch_cuda.so", "libcublas.so.12", "libextra.so")) {
      FatBinaryTest.elf(folder.resolve(name), List.of(".text"), List.of(new byte[] {1}));
    }
    Files.write(
        folder.resolve("libcufft.so.11"), PlaceholderLibrary.of("libcufft.so.11", new TreeSet<>()));
    LibraryList list =
        LibraryList.parse(
            List.of(
                "artifact g:a:1:c",
                "sha256 x",
                "licence L",
                "core libtorch_cuda.so libcublas.so.12",
                "unused libcufft.so.11",
                "extra libextra.so",
                "installed libhuge.so"));
    assertThat(changes(list, folder, "sm_90", true))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "libtorch_cuda.so", "without symbol tables, GPU code for sm_90 only",
                "libcublas.so.12", "",
                "libcufft.so.11", "a placeholder: nothing of the real library"));
    assertThat(changes(list, folder, "all", false))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "libtorch_cuda.so", "without symbol tables",
                "libcublas.so.12", "",
                "libcufft.so.11", "",
                "libextra.so", ""));
  }

  private static Map<String, String> changes(
      LibraryList list, Path folder, String architecture, boolean placeholders) throws IOException {
    OfflineBundle.Options options =
        new OfflineBundle.Options(
            Flavor.CU128, architecture, PART, placeholders, List.of(), "Main", 6);
    Map<String, String> changes = new LinkedHashMap<>();
    BundleLibraries.cuda(options, list, folder).forEach(l -> changes.put(l.name(), l.change()));
    return changes;
  }
}
