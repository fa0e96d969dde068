package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small bundle with a policy, trained by the command. */
public final class Trained {

  private Trained() {}

  /** Trains it into a folder of this one. */
  public static Path model(Path folder) throws IOException {
    Path recipe = Files.writeString(folder.resolve("pool.toml"), Cli.RECIPE + Cli.POOL);
    Path model = folder.resolve("model");
    Cli.Result result =
        Cli.run(
            "train",
            "--recipe",
            recipe.toString(),
            "--events",
            Cli.csv(folder).toString(),
            "--device",
            "cpu",
            "--out",
            model.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    return model;
  }
}
