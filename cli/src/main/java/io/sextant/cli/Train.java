package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.EventReader;
import io.sextant.data.Interactions;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.PolicyProfile;
import io.sextant.models.ModelZoo;
import io.sextant.models.RatesSection;
import io.sextant.models.Recipe;
import io.sextant.models.WeightsSection;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.UserNeighbours;
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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Fits the strategies of a recipe to events, and the policy that mixes them if the recipe wants
 * one, and writes a bundle.
 */
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

  @Option(
      names = "--tune",
      arity = "0..1",
      fallbackValue = "27",
      description =
          "first look for better settings of each strategy, with so many trials (default: ${FALLBACK-VALUE}), on events that nothing else learns from")
  private @Nullable Integer tune;

  @Option(
      names = "--budget-ms",
      description =
          "milliseconds that retrieval for 1,000 users may take on this machine: the policy mixes the best strategies within it")
  private @Nullable Double budgetMillis;

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
    checkBudget(parsed);
    if (tune != null && tune < 1) {
      throw new InvalidInputException("--tune must be >= 1 but was " + tune);
    }
    checkWritable(out);
    EventReader reader = events.reader(parsed.data().format());
    Device device = common.device();
    EventFiles.Loaded loaded = EventFiles.load(parsed, reader, users, items, rejected);
    System.err.print(loaded.summary());
    Dataset data = loaded.data();
    boolean ordered =
        Optional.ofNullable(parsed.data().ordered()).orElse(data.interactions().hasTimes());
    EventParts parts = EventParts.of(data.interactions(), ordered, common.seed());
    Path target = out.toAbsolutePath();
    Path folder = target.resolveSibling("." + target.getFileName() + ".checkpoint");
    Files.createDirectories(folder);
    Fitted.Checkpoints checkpoints =
        new Fitted.Checkpoints(
            folder,
            Duration.ofSeconds(checkpointSeconds),
            resume,
            fingerprint(data.interactions(), text));
    Map<String, Object> result = new LinkedHashMap<>();
    if (tune != null) {
      Map<String, String> found =
          Tuning.of(
              text,
              recipe,
              overrides,
              tune,
              common.seed(),
              device,
              data,
              parts,
              checkpoints,
              result);
      parsed = ModelZoo.parse(text, recipe, found);
      text = ModelZoo.withOverrides(text, found);
    } else {
      text = ModelZoo.withOverrides(text, overrides);
    }
    RateFit rates = rates(parsed, device, data, parts, ordered, checkpoints);
    if (rates.record() != null) {
      result.put("rates", rates.record());
    }
    List<Strategy> strategies = rates.strategies();
    WeightFit weights = weights(parsed, strategies, device, data, parts, ordered, checkpoints);
    if (weights.record() != null) {
      result.put("weights", weights.record());
    }
    try (PolicyFit policies =
            policy(parsed, strategies, device, data, parts, weights, checkpoints);
        Fitted fitted = Fitted.fit(policies.strategies(), device, weights::inTheEnd, checkpoints)) {
      // What cannot be fitted to the early events can often not be fitted to all of them either.
      Set<String> warnings = new LinkedHashSet<>(policies.warnings());
      warnings.addAll(fitted.pool().warnings());
      if (noHistories) {
        for (UserNeighbours voters : parsed.userNeighbours()) {
          warnings.add(tellsHistories(voters.name()));
        }
      }
      MetaPolicy policy = policies.over(fitted, data, warnings);
      result.put("strategies", fitted.pool().names());
      if (policy != null) {
        result.put("policyVersion", policy.version());
      }
      if (policies.frontier() != null) {
        result.put("budgetMs", budgetMillis);
        result.put("frontier", Frontiers.json(policies.frontier()));
      }
      TrainingRecord.fits(fitted, result);
      PolicyProfile profile =
          TrainingRecord.profile(policy, fitted.pool(), data.interactions(), common.seed());
      if (profile != null) {
        result.put("policyProfile", profile);
      }
      result.put("warnings", warnings);
      Map<String, String> documents = new LinkedHashMap<>(Bundles.attributes(data));
      documents.put(
          TrainingRecord.DOCUMENT,
          TrainingRecord.json(data.interactions(), text, common.seed(), device, result));
      Bundles.write(
          out, fitted, policy, data.interactions(), !noHistories, text, common.seed(), documents);
      warnings.forEach(warning -> System.err.println("warning: " + warning));
    }
    Folders.delete(folder);
    System.out.println("wrote " + out);
    common.write("train", Devices.name(device), result);
    return 0;
  }

  private void checkBudget(Recipe parsed) {
    Double millis = budgetMillis;
    if (millis == null) {
      return;
    }
    if (!(millis > 0 && Double.isFinite(millis))) {
      throw new InvalidInputException("--budget-ms must be > 0 but was " + millis);
    }
    if (parsed.meta() == null) {
      throw new InvalidInputException(
          "--budget-ms chooses what a policy mixes, but the recipe has no policy: add [meta]");
    }
  }

  private RateFit rates(
      Recipe parsed,
      Device device,
      Dataset data,
      EventParts parts,
      boolean ordered,
      Fitted.Checkpoints checkpoints)
      throws IOException {
    List<Strategy> strategies = parsed.strategies(common.seed());
    RatesSection section = parsed.rates();
    if (section == null) {
      return RateFit.none(strategies);
    }
    Fitted.Checkpoints inner = checkpoints.in("rates");
    Files.createDirectories(inner.folder());
    boolean policy = parsed.meta() != null;
    return RateFit.of(
        section, strategies, device, data, parts, ordered, policy, common.seed(), inner);
  }

  private WeightFit weights(
      Recipe parsed,
      List<Strategy> strategies,
      Device device,
      Dataset data,
      EventParts parts,
      boolean ordered,
      Fitted.Checkpoints checkpoints)
      throws IOException {
    WeightsSection section = parsed.weights();
    if (section == null) {
      return WeightFit.none(data, parts);
    }
    Fitted.Checkpoints inner = checkpoints.in("weights");
    Files.createDirectories(inner.folder());
    boolean policy = parsed.meta() != null;
    return WeightFit.of(
        section, strategies, device, data, parts, ordered, policy, common.seed(), inner);
  }

  private PolicyFit policy(
      Recipe parsed,
      List<Strategy> strategies,
      Device device,
      Dataset data,
      EventParts parts,
      WeightFit weights,
      Fitted.Checkpoints checkpoints)
      throws IOException {
    Optional<MetaOptions> options = parsed.meta(common.seed());
    if (options.isEmpty()) {
      return PolicyFit.none(strategies);
    }
    Fitted.Checkpoints inner = checkpoints.in("policy");
    Files.createDirectories(inner.folder());
    return PolicyFit.of(
        options.get(), strategies, device, data, parts, weights, inner, budgetMillis);
  }

  private static String tellsHistories(String strategy) {
    return "the bundle holds who interacted with what in spite of --no-histories: strategy '%s' votes by it; leave its section out of the recipe if nobody may know"
        .formatted(strategy);
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
            "tune " + tune,
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
