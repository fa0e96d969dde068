package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.EventReader;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.models.ModelZoo;
import io.sextant.models.Recipe;
import io.sextant.strategy.FittedTwoTower;
import io.sextant.tensor.Devices;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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

  @Mixin private EventsOptions events = new EventsOptions();

  @Option(names = "--users", description = "file of user features")
  private @Nullable Path users;

  @Option(names = "--items", description = "file of item features")
  private @Nullable Path items;

  @Option(names = "--out", required = true, description = "folder of the bundle")
  private Path out = Path.of("");

  @Option(names = "--set", description = "section.key=value, over the recipe")
  private Map<String, String> overrides = new LinkedHashMap<>();

  @Option(names = "--rejected", description = "write rejected rows to this file")
  private @Nullable Path rejected;

  @Option(
      names = "--no-histories",
      description = "leave out of the bundle what each user did: recommend then needs --history")
  private boolean noHistories;

  @Option(
      names = "--checkpoint-every",
      description = "seconds between checkpoints; 0: after every step (default: ${DEFAULT-VALUE})")
  private int checkpointSeconds = 30;

  @Option(names = "--resume", description = "go on where a killed run stopped")
  private boolean resume;

  @Override
  public Integer call() throws IOException {
    String text = ModelZoo.text(recipe);
    Recipe parsed = ModelZoo.parse(text, recipe, overrides);
    if (checkpointSeconds < 0) {
      throw new InvalidInputException(
          "--checkpoint-every must be >= 0 but was " + checkpointSeconds);
    }
    checkWritable(out);
    EventReader reader = events.reader(parsed.data().format());
    Device device = common.device();
    EventFiles.Loaded loaded = EventFiles.load(parsed, reader, users, items, rejected);
    System.err.print(loaded.summary());
    Dataset data = loaded.data();
    Split split = Splitter.leaveOneOut().split(data.interactions());
    // The last event of each user only stops the training; the bundle knows all the others.
    Dataset train = data.withInteractions(split.train().concat(split.validation()));
    Path target = out.toAbsolutePath();
    Path folder = target.resolveSibling("." + target.getFileName() + ".checkpoint");
    Files.createDirectories(folder);
    Map<String, Object> result = new LinkedHashMap<>();
    try (Fitted fitted =
        Fitted.fit(
            parsed,
            common.seed(),
            device,
            train,
            split.test(),
            new Fitted.Checkpoints(
                folder,
                Duration.ofSeconds(checkpointSeconds),
                resume,
                fingerprint(data.interactions(), text)))) {
      Bundles.write(out, fitted, data.interactions(), !noHistories, text, common.seed(), null);
      result.put("strategies", List.copyOf(fitted.strategies().keySet()));
      // A recipe may have nothing that is trained in epochs.
      result.put("epochs", 0);
      result.put("examplesPerSecond", 0.0);
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

  /** What must be the same for a run to be gone on with: all that training learns from and by. */
  private String fingerprint(Interactions data, String recipeText) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
    for (String text :
        List.of(
            Main.version(),
            data.contentHash(),
            recipeText,
            new TreeMap<>(overrides).toString(),
            Long.toString(common.seed()))) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
      digest.update(bytes);
    }
    for (Optional<Path> features :
        List.of(Optional.ofNullable(users), Optional.ofNullable(items))) {
      digest.update((byte) (features.isPresent() ? 1 : 0));
      if (features.isPresent()) {
        try (InputStream in = new DigestInputStream(Files.newInputStream(features.get()), digest)) {
          in.transferTo(OutputStream.nullOutputStream());
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
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
