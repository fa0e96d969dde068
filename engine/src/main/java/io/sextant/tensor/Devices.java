package io.sextant.tensor;

import ai.djl.Device;
import ai.djl.engine.Engine;
import io.sextant.DeviceUnavailableException;
import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.NativeReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds devices by name: {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N}. */
public final class Devices {

  private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

  private Devices() {}

  /**
   * The device of that name. {@code auto} is the first GPU, or the CPU where there is none; every
   * other name means exactly what it says. Only {@code auto} and {@code cuda} load libtorch.
   *
   * @throws InvalidInputException if the name is none of the four forms
   * @throws DeviceUnavailableException if the device is not there
   */
  public static Device parse(String name) {
    return parse(name, Devices::gpuCount);
  }

  static Device parse(String name, IntSupplier gpuCount) {
    String text = name.strip().toLowerCase(Locale.ROOT);
    if (text.equals("cpu")) {
      return Device.cpu();
    }
    if (text.equals("auto")) {
      return gpuCount.getAsInt() > 0 ? Device.gpu(0) : Device.cpu();
    }
    Matcher cuda = CUDA.matcher(text);
    if (!cuda.matches()) {
      throw new InvalidInputException(
          "unknown device '" + name + "': use auto, cpu, cuda or cuda:N");
    }
    int index = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
    int gpus = gpuCount.getAsInt();
    if (index >= gpus) {
      throw new DeviceUnavailableException(
          "device '%s' was asked for but %s; run 'sextant doctor', or use --device cpu"
              .formatted(
                  name,
                  gpus == 0
                      ? "this process sees no CUDA device: " + whyNone()
                      : "the last of this process's %d CUDA device(s) is cuda:%d"
                          .formatted(gpus, gpus - 1)));
    }
    return Device.gpu(index);
  }

  private static String whyNone() {
    String why = NativeReport.inspect().noGpuBecause();
    return why.isEmpty() ? "libtorch finds none where the driver does" : why;
  }

  /** The name by which {@link #parse} finds the device again. */
  public static String name(Device device) {
    return device.isGpu() ? "cuda:" + device.getDeviceId() : "cpu";
  }

  /** Every device that this process can use, by name; the CPU is always the first. */
  public static List<String> available() {
    List<String> names = new ArrayList<>(List.of("cpu"));
    for (int i = 0; i < gpuCount(); i++) {
      names.add("cuda:" + i);
    }
    return List.copyOf(names);
  }

  /** How many CUDA devices the loaded libtorch can use. */
  public static int gpuCount() {
    return TensorRuntime.start().getGpuCount();
  }

  /** The engine that runs the tensors and its version, as 'PyTorch 2.7.1'. */
  public static String engine() {
    Engine engine = TensorRuntime.start();
    return engine.getEngineName() + " " + engine.getVersion();
  }
}
