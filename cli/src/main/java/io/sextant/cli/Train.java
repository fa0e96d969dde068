package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.models.ModelZoo;
import io.sextant.models.Recipe;
import io.sextant.strategy.FittedTwoTower;
import io.sextant.tensor.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Fits the strategies of a recipe to events and writes a bundle. */
@Command(name = "train", description = "Fits a recipe's strategies and writes a bundle.")
final class Train implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--recipe", required = true, description = "a recipe's name or file")
  private String recipe = "";

  @Option(names = "--events", required = true, description = "file of events")
  private Path events = Path.of("");

  @Option(names = "--items", description = "file of item features")
  private @Nullable Path items;

  @Option(names = "--format", description = "csv, tsv, movielens, pairs, lists, parquet or json")
  private @Nullable String format;

  @Option(names = "--columns", description = "user=...,item=...,time=...,type=...,value=...")
  private @Nullable String columns;

  @Option(names = "--out", required = true, description = "folder of the bundle")
  private Path out = Path.of("");

  @Option(names = "--set", description = "section.key=value, over the recipe")
  private Map<String, String> overrides = new LinkedHashMap<>();

  @Option(names = "--rejected", description = "write rejected rows to this file")
  private @Nullable Path rejected;

  @Option(names = "--resume", description = "go on where a killed run stopped")
  private boolean resume;

  @Override
  public Integer call() throws IOException {
    String text = ModelZoo.text(recipe);
    Recipe parsed = ModelZoo.parse(text, recipe, overrides);
    checkWritable(out);
    Device device = common.device();
    EventFiles.Loaded loaded = EventFiles.load(parsed, events, items, format, columns, rejected);
    System.err.print(loaded.report().summary());
    Dataset data = loaded.data();
    Split split = Splitter.leaveOneOut().split(data.interactions());
    // The last event of each user only stops the training; the bundle knows all the others.
    Dataset train = data.withInteractions(split.train().concat(split.validation()));
    Path target = out.toAbsolutePath();
    Path folder = target.resolveSibling("." + target.getFileName() + ".checkpoint");
    Files.createDirectories(folder);
    String fingerprint =
        data.interactions().contentHash() + " " + (text + overrides + common.seed()).hashCode();
    Map<String, Object> result = new LinkedHashMap<>();
    try (Fitted fitted =
        Fitted.fit(
            parsed,
            common.seed(),
            device,
            train,
            split.test(),
            new Fitted.Checkpoints(folder, resume, fingerprint))) {
      Bundles.write(out, fitted, data.interactions(), text, common.seed(), null);
      result.put("strategies", List.copyOf(fitted.strategies().keySet()));
      fitted.strategies().values().stream()
          .filter(FittedTwoTower.class::isInstance)
          .map(FittedTwoTower.class::cast)
          .flatMap(strategy -> strategy.trainingResult().stream())
          .forEach(
              training -> {
                result.put("epochs", training.epochs());
                result.put("examplesPerSecond", training.examplesPerSecond());
                result.put("validation", training.validations());
              });
    }
    Folders.delete(folder);
    System.out.println("wrote " + out);
    common.write("train", Devices.name(device), result);
    return 0;
  }

  /** Hours of training must not end at a folder that cannot be written. */
  private static void checkWritable(Path out) {
    Path parent = out.toAbsolutePath().getParent();
    try {
      if (parent != null) {
        Files.createDirectories(parent);
        Files.delete(Files.createTempFile(parent, ".sextant", ".tmp"));
      }
    } catch (IOException e) {
      throw new InvalidInputException(
          "the bundle cannot be written to %s: %s; choose another --out".formatted(out, e), e);
    }
  }
}
