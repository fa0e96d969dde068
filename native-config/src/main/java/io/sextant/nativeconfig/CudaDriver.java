package io.sextant.nativeconfig;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.ptr.IntByReference;

/** Asks NVIDIA's driver, without any CUDA libtorch, how many devices there are. */
final class CudaDriver {

  private CudaDriver() {}

  /** The number of CUDA devices that this process may use; 0 without a driver. */
  static int devices() {
    if (Platform.isMac()) {
      return 0;
    }
    try {
      NativeLibrary driver = NativeLibrary.getInstance(Platform.isWindows() ? "nvcuda" : "cuda");
      if (driver.getFunction("cuInit").invokeInt(new Object[] {0}) != 0) {
        return 0;
      }
      IntByReference count = new IntByReference();
      int status = driver.getFunction("cuDeviceGetCount").invokeInt(new Object[] {count});
      return status == 0 ? count.getValue() : 0;
    } catch (LinkageError | RuntimeException e) {
      return 0;
    }
  }
}
