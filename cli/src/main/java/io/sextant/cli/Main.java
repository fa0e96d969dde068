package io.sextant.cli;

import io.sextant.DeviceUnavailableException;
import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.NativeConfigException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The entry of the sextant command. */
@Command(
    name = "sextant",
    mixinStandardHelpOptions = true,
    scope = CommandLine.ScopeType.INHERIT, // --help on every command
    versionProvider = Main.Version.class,
    description = "A GPU-accelerated recommender engine.",
    subcommands = {
      Demo.class,
      Train.class,
      Evaluate.class,
      Recommend.class,
      Reproduce.class,
      FewShot.class,
      Report.class,
      Serve.class,
      Noise.class,
      Signals.class,
      Rates.class,
      Ope.class,
      Feedback.class,
      Doctor.class
    })
public final class Main {

  private Main() {}

  /** Runs one command and ends the JVM with its status. */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs one command: 0 success, 1 failure, 2 wrong usage or bad input. */
  static int run(String... args) {
    CommandLine command =
        new CommandLine(new Main())
            .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
            .setCaseInsensitiveEnumValuesAllowed(true);
    command.setExecutionExceptionHandler(
        (failure, commandLine, result) -> {
          commandLine.getErr().println("sextant: " + failure.getMessage());
          if (System.getenv("SEXTANT_DEBUG") != null) {
            failure.printStackTrace(commandLine.getErr());
          }
          return failure instanceof InvalidInputException
                  || failure instanceof DeviceUnavailableException
                  || failure instanceof NativeConfigException
              ? CommandLine.ExitCode.USAGE
              : CommandLine.ExitCode.SOFTWARE;
        });
    return command.execute(args);
  }

  /** The version of the jar. */
  static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"sextant " + version()};
    }
  }
}
