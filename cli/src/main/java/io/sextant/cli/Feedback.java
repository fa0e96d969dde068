package io.sextant.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What comes back from users. */
@Command(
    name = "feedback",
    description = "What comes back from users, and what is made of it.",
    subcommands = {FeedbackSimulate.class, FeedbackExport.class})
final class Feedback implements Runnable {

  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    CommandSpec known = spec;
    if (known != null) {
      throw new ParameterException(
          known.commandLine(), "a subcommand is needed: simulate or export");
    }
  }
}
