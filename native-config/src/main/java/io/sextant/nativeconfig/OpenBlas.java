package io.sextant.nativeconfig;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Matrix products by OpenBLAS, on the thread that asks for them and in its memory.
 *
 * <p>Design. libtorch multiplies with MKL, which leaves half of an AMD processor's vector units
 * idle, on threads of its own. Here every thread multiplies its own tile and works on it while it
 * is in that core's cache. The library comes from the class path (org.bytedeco:openblas), is
 * unpacked once into a folder beside DJL's cache, and its names stay its own, so that libtorch
 * never calls it.
 *
 * <p>Thread safety: safe.
 */
public final class OpenBlas {

  private static final Logger log = LoggerFactory.getLogger(OpenBlas.class);

  private static final String PROPERTIES = "/META-INF/maven/org.bytedeco/openblas/pom.properties";

  /** On macOS libtorch multiplies with Apple's library, which is faster. */
  private static final Map<String, String> PLATFORMS =
      Map.of("linux-x86_64", "linux-x86_64", "linux-aarch64", "linux-arm64");

  private static final String LIBRARY = "libopenblas.so.0";

  /** In the order in which they need each other. */
  private static final List<String> LIBRARIES =
      List.of("libquadmath.so.0", "libgfortran.so.5", LIBRARY);

  /** RTLD_LAZY without RTLD_GLOBAL, which is what JNA would add. */
  private static final Map<String, Object> PRIVATE = Map.of(Library.OPTION_OPEN_FLAGS, 1);

  private static final Pattern MAX_THREADS = Pattern.compile("MAX_THREADS=(\\d+)");

  /** JNA unloads what nobody holds. */
  private static final List<NativeLibrary> HELD = new ArrayList<>();

  private final String description;

  /**
   * The library has working memory for twice as many callers as it was built to have threads, and
   * ends the process beyond.
   */
  private final Semaphore callers;

  private OpenBlas(String description, int callers) {
    this.description = description;
    this.callers = new Semaphore(callers);
  }

  /**
   * The library of this process; empty where the class path has none for the platform, where it
   * cannot be loaded, and beside a libtorch that brings its own.
   */
  public static Optional<OpenBlas> shared() {
    return Shared.LIBRARY;
  }

  /** Version and kernels, {@code OpenBLAS 0.3.30 (Cooperlake)}. */
  public String description() {
    return description;
  }

  /**
   * Multiplies the rows of two matrices with each other: c = a b^T, all in float32, row after row.
   *
   * @param rows of a and of c
   * @param columns of c, rows of b
   * @param depth width of a and b
   * @param a address of a, (rows, depth)
   * @param b address of b, (columns, depth)
   * @param c address of the result, (rows, columns), which overlaps neither
   */
  public void multiply(int rows, int columns, int depth, long a, long b, long c) {
    callers.acquireUninterruptibly();
    try {
      if (rows == 1) {
        Functions.cblas_sgemv(
            Functions.ROW_MAJOR, Functions.AS_IT_IS, columns, depth, 1, b, depth, a, 1, 0, c, 1);
      } else {
        Functions.cblas_sgemm(
            Functions.ROW_MAJOR,
            Functions.AS_IT_IS,
            Functions.TRANSPOSED,
            rows,
            columns,
            depth,
            1,
            a,
            depth,
            b,
            depth,
            0,
            c,
            columns);
      }
    } finally {
      callers.release();
    }
  }

  /** Where a direct buffer begins; valid as long as its memory is. */
  public static long address(ByteBuffer direct) {
    return Pointer.nativeValue(Native.getDirectBufferPointer(direct));
  }

  private static Optional<OpenBlas> load() {
    URL properties = OpenBlas.class.getResource(PROPERTIES);
    String platform = PLATFORMS.get(NativePlatform.classifier());
    if (properties == null || platform == null || CLibrary.openBlasLoaded()) {
      return Optional.empty();
    }
    try {
      Path cache = DjlCache.folder(System.getenv(), System.getProperties());
      return Optional.of(
          load(unpack(platform, version(properties), cache.resolveSibling("openblas"))));
    } catch (IOException | LinkageError | RuntimeException e) {
      log.warn(
          "libtorch multiplies in the place of OpenBLAS, which cannot be loaded: {}", e.toString());
      return Optional.empty();
    }
  }

  private static OpenBlas load(Path folder) {
    for (String name : LIBRARIES) {
      Path file = folder.resolve(name);
      if (Files.exists(file)) {
        HELD.add(NativeLibrary.getInstance(file.toString(), PRIVATE));
      }
    }
    NativeLibrary library = HELD.get(HELD.size() - 1);
    Native.register(Functions.class, library);
    // Its callers are threads already.
    library.getFunction("openblas_set_num_threads").invokeVoid(new Object[] {1});
    String config = library.getFunction("openblas_get_config").invokeString(new Object[0], false);
    String kernels =
        library.getFunction("openblas_get_corename").invokeString(new Object[0], false);
    Matcher threads = MAX_THREADS.matcher(config);
    return new OpenBlas(
        config.replaceFirst("^(OpenBLAS \\S+).*", "$1") + " (" + kernels + ")",
        threads.find() ? Integer.parseInt(threads.group(1)) : 16);
  }

  private static String version(URL properties) throws IOException {
    Properties values = new Properties();
    try (InputStream in = properties.openStream()) {
      values.load(in);
    }
    return values.getProperty("version", "unknown");
  }

  /**
   * The folder with the libraries of a version, made if need be: whole, or not at all.
   *
   * @param cache where such folders are
   */
  static Path unpack(String platform, String version, Path cache) throws IOException {
    Path folder = cache.resolve(version + "-" + platform);
    if (Files.exists(folder.resolve(LIBRARY))) {
      return folder;
    }
    Files.createDirectories(cache);
    Path made = Files.createTempDirectory(cache, version + "-");
    try {
      for (String name : LIBRARIES) {
        try (InputStream in =
            OpenBlas.class.getResourceAsStream("/org/bytedeco/openblas/" + platform + "/" + name)) {
          if (in != null) {
            Files.copy(in, made.resolve(name));
          }
        }
      }
      if (!Files.exists(made.resolve(LIBRARY))) {
        throw new IOException("the jar on the class path holds no " + LIBRARY + " for " + platform);
      }
      Folders.openToAll(made);
      Files.move(made, folder, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      if (!Files.exists(folder.resolve(LIBRARY))) {
        throw e;
      }
      // Another process was faster.
    } finally {
      Folders.delete(made);
    }
    return folder;
  }

  private static final class Shared {
    static final Optional<OpenBlas> LIBRARY = load();
  }

  private static final class Functions {
    static final int ROW_MAJOR = 101;
    static final int AS_IT_IS = 111;
    static final int TRANSPOSED = 112;

    static native void cblas_sgemm(
        int order,
        int transA,
        int transB,
        int m,
        int n,
        int k,
        float alpha,
        long a,
        int lda,
        long b,
        int ldb,
        float beta,
        long c,
        int ldc);

    static native void cblas_sgemv(
        int order,
        int trans,
        int m,
        int n,
        float alpha,
        long a,
        int lda,
        long x,
        int incx,
        float beta,
        long y,
        int incy);
  }
}
