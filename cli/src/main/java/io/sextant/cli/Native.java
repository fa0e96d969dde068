package io.sextant.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The native libraries. */
@Command(
    name = "native",
    description = "The native libraries: a CUDA libtorch, and bundles for hosts without a network.",
    subcommands = {NativeInstall.class, NativeBundle.class})
final class Native implements Runnable {

  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    CommandSpec known = spec;
    if (known != null) {
      throw new ParameterException(
          known.commandLine(), "a subcommand is needed: install or bundle");
    }
  }
}
