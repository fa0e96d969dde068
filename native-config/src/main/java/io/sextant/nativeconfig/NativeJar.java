package io.sextant.nativeconfig;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;

/**
 * A jar (or folder) of native files on the class path.
 *
 * @param artifact {@code pytorch-native} or {@code pytorch-jni}
 * @param version its version without a build date: {@code 2.7.1}, {@code 2.7.1-0.36.0}
 * @param flavor {@code cpu}, {@code cu128}; empty for {@code pytorch-jni}, which holds several
 * @param classifier the platform, {@code linux-x86_64}; empty for {@code pytorch-jni}
 * @param location where it was found
 */
public record NativeJar(
    String artifact, String version, String flavor, String classifier, String location) {

  static final String NATIVE = "pytorch-native";
  static final String JNI = "pytorch-jni";
  private static final String NATIVE_PROPERTIES = "native/lib/pytorch.properties";
  private static final String JNI_PROPERTIES = "jnilib/pytorch.properties";

  boolean isNative() {
    return artifact.equals(NATIVE);
  }

  /** All that are visible where DJL looks: through the thread's context class loader. */
  static List<NativeJar> onClassPath() {
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    return onClassPath(loader != null ? loader : NativeJar.class.getClassLoader());
  }

  static List<NativeJar> onClassPath(ClassLoader loader) {
    List<NativeJar> jars = new ArrayList<>();
    for (Entry e : entries(loader, NATIVE_PROPERTIES)) {
      // A placeholder promises a download and holds no library.
      if (e.properties.getProperty("placeholder") == null) {
        String version = e.properties.getProperty("version", "unknown");
        jars.add(
            new NativeJar(
                NATIVE,
                version.replaceFirst("-\\d{8}$", ""),
                e.properties.getProperty("flavor", "cpu"),
                e.properties.getProperty("classifier", "unknown"),
                location(e.url, NATIVE_PROPERTIES)));
      }
    }
    for (Entry e : entries(loader, JNI_PROPERTIES)) {
      String version = e.properties.getProperty("jni_version", "unknown");
      jars.add(new NativeJar(JNI, version, "", "", location(e.url, JNI_PROPERTIES)));
    }
    return List.copyOf(jars);
  }

  private record Entry(URL url, Properties properties) {}

  private static List<Entry> entries(ClassLoader loader, String name) {
    List<Entry> entries = new ArrayList<>();
    try {
      for (URL url : Collections.list(loader.getResources(name))) {
        Properties properties = new Properties();
        try (InputStream in = url.openStream()) {
          properties.load(in);
        }
        entries.add(new Entry(url, properties));
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new NativeConfigException(
          "cannot read " + name + " on the class path (" + e.getMessage() + "); is a jar damaged?",
          e);
    }
    return entries;
  }

  private static String location(URL url, String name) {
    String text = url.toString();
    text = text.substring(0, text.length() - name.length());
    return text.replaceFirst("^(jar:)?(file:)?", "").replaceFirst("(!?/)$", "");
  }
}
