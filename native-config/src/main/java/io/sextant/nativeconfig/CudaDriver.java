package io.sextant.nativeconfig;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.ptr.IntByReference;

/**
 * What NVIDIA's driver says, asked without any CUDA libtorch.
 *
 * @param devices the number of CUDA devices that this process may use
 * @param problem why there is none, in words; empty if there is one
 */
record CudaDriver(int devices, String problem) {

  /** What a libtorch for CUDA 12 asks of the driver, as the driver numbers versions. */
  private static final int CUDA_12 = 12_000;

  private static final int NO_DEVICE = 100;

  static CudaDriver probe() {
    if (Platform.isMac()) {
      return new CudaDriver(0, "there is no CUDA on macOS");
    }
    String name = Platform.isWindows() ? "nvcuda" : "cuda";
    NativeLibrary driver;
    try {
      driver = NativeLibrary.getInstance(name);
    } catch (LinkageError | RuntimeException e) {
      return new CudaDriver(
          0, "NVIDIA's driver is not installed (no " + System.mapLibraryName(name) + ")");
    }
    try {
      IntByReference value = new IntByReference();
      if (call(driver, "cuDriverGetVersion", value) == 0 && value.getValue() < CUDA_12) {
        return new CudaDriver(0, tooOld(value.getValue()));
      }
      int status = call(driver, "cuInit", 0);
      if (status == 0) {
        status = call(driver, "cuDeviceGetCount", value);
      }
      if (status != 0 && status != NO_DEVICE) {
        return new CudaDriver(0, "NVIDIA's driver fails with status " + status);
      }
      int count = status == 0 ? value.getValue() : 0;
      return new CudaDriver(count, count > 0 ? "" : "NVIDIA's driver reports no device");
    } catch (LinkageError | RuntimeException e) {
      return new CudaDriver(0, "NVIDIA's driver cannot be asked: " + e.getMessage());
    }
  }

  static String tooOld(int version) {
    return "NVIDIA's driver is for CUDA %d.%d but libtorch needs one for CUDA 12"
        .formatted(version / 1000, version % 1000 / 10);
  }

  private static int call(NativeLibrary driver, String function, Object argument) {
    return driver.getFunction(function).invokeInt(new Object[] {argument});
  }
}
