package io.sextant.nativeconfig;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which terms the parts of a bundle are under. */
final class BundleNotice {

  private BundleNotice() {}

  static String text(BundleLibraries libraries, Map<String, Path> jars, JavaRuntime runtime)
      throws IOException {
    StringBuilder text =
        new StringBuilder(
            """
            An offline bundle of Sextant: what it holds, and under which terms

            It is made for the host that it is brought to. The libraries of the CUDA Toolkit and of cuDNN, where
            it holds any, may not be published in this form.

            Libraries (lib)
            """);
    Map<String, String> byLicence = new LinkedHashMap<>();
    for (BundleLibraries.Library library : libraries.libraries()) {
      String note = library.change().isEmpty() ? "" : " (" + library.change() + ")";
      byLicence.merge(library.licence(), library.name() + note, (a, b) -> a + ", " + b);
    }
    byLicence.forEach(
        (licence, names) ->
            text.append("  ").append(names).append("\n    ").append(licence).append('\n'));
    text.append("\nJava runtime (runtime)\n  ").append(runtime.description());
    text.append(
        "\n    GPL-2.0 with the Classpath Exception, unless its vendor says otherwise; see runtime/legal\n");
    text.append("\nApplication (app)\n");
    for (Map.Entry<String, Path> jar : jars.entrySet()) {
      text.append("  ").append(jar.getKey()).append("\n    ");
      text.append(Application.licence(jar.getKey(), jar.getValue())).append('\n');
    }
    return text.toString();
  }
}
