package io.sextant.cli;

/** The entry of the sextant command. */
public final class Main {

  private Main() {}

  public static void main(String[] args) {
    String version = Main.class.getPackage().getImplementationVersion();
    System.out.println("sextant " + (version == null ? "(not packaged)" : version));
  }
}
