package io.sextant.meta;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.sextant.InvalidInputException;
import io.sextant.nn.NamedParameter;
import io.sextant.store.StoredPolicy;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.store.TensorSpec;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import io.sextant.tensor.TensorThreads;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a policy lies in a bundle: a configuration in JSON and tensors by name.
 *
 * <pre>
 *   items.log-popularity (I)
 *   global | gate | control: .baseline (M), .users.means (F), .users.deviations (F), .users.limit (1)
 *   gate | control: .network.policy.user.weight ... if there is a network
 *   stage-two: .baseline (M), .users.* (F'), .items.* (F_i), .edges (G - 1), .strengths (G)
 *   stage-two.0, .1, ...: .network.policy.user.weight ...
 * </pre>
 *
 * <p>Reading believes nothing: sizes are compared with what the strategies' names and the options
 * demand before memory is taken for them, and numbers must be finite and in their range.
 */
final class PolicyFormat {

  private static final int FORMAT = 1;
  private static final int VERSION_DIGITS = 12;
  private static final int CHUNK_BYTES = 1 << 20;
  private static final Gson GSON = new Gson();

  private PolicyFormat() {}

  /**
   * What is no tensor.
   *
   * @param format of the policy
   * @param gate whether the gate has a network
   * @param control whether the control has one
   * @param policies how many networks stage 2 has
   */
  private record Config(
      int format,
      List<String> strategies,
      MetaOptions options,
      Normalisation normalisation,
      boolean gate,
      boolean control,
      int policies) {

    Config {
      check(
          format == FORMAT,
          "it is of format %d but this engine reads %d: use the engine that wrote it"
              .formatted(format, FORMAT));
      check((Object) strategies != null && !strategies.isEmpty(), "it names no strategies to mix");
      check(strategies.stream().noneMatch(Objects::isNull), "the name of a strategy is missing");
      check(
          new HashSet<>(strategies).size() == strategies.size(),
          "it names a strategy twice: " + strategies);
      check((Object) options != null, "it has no options");
      check((Object) normalisation != null, "it has no normalisation, or one that is unknown");
      check(policies >= 0, "it has %d networks in stage 2".formatted(policies));
    }
  }

  static String configJson(PolicyParts parts) {
    return GSON.toJson(
        new Config(
            FORMAT,
            parts.strategies(),
            parts.options(),
            parts.stageTwo().normalisation(),
            parts.gate().gate() != null,
            parts.control().gate() != null,
            parts.stageTwo().policies().size()));
  }

  static List<TensorSource> tensors(PolicyParts parts) {
    List<TensorSource> all = new ArrayList<>();
    all.add(vector("items.log-popularity", parts.facts().logPopularity()));
    addStageOne(all, "global", parts.global());
    addStageOne(all, "gate", parts.gate());
    addStageOne(all, "control", parts.control());
    StageTwo two = parts.stageTwo();
    all.add(vector("stage-two.baseline", two.baseline()));
    addStandardiser(all, "stage-two.users", two.users());
    addStandardiser(all, "stage-two.items", two.items());
    all.add(TensorSource.of("stage-two.edges", two.edges(), two.edges().length));
    all.add(vector("stage-two.strengths", two.strengths()));
    for (int i = 0; i < two.policies().size(); i++) {
      addNetwork(all, "stage-two." + i, two.policies().get(i));
    }
    return all;
  }

  /** Twelve digits of the SHA-256 of configuration and tensors. */
  static String version(PolicyParts parts) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
    digest.update(configJson(parts).getBytes(StandardCharsets.UTF_8));
    for (TensorSource tensor : tensors(parts)) {
      TensorSpec spec = tensor.spec();
      digest.update("%s %s;".formatted(spec.name(), spec.shape()).getBytes(StandardCharsets.UTF_8));
      tensor.forEachChunk(CHUNK_BYTES, (first, rows, chunk) -> digest.update(chunk));
    }
    return HexFormat.of().formatHex(digest.digest()).substring(0, VERSION_DIGITS);
  }

  /**
   * Restores the parts, the networks in the memory of the scope.
   *
   * @throws InvalidInputException if they cannot be those of a policy
   */
  static PolicyParts load(Scope scope, StoredPolicy stored) {
    try {
      Config config = GSON.fromJson(stored.configJson(), Config.class);
      check((Object) config != null, "its configuration is empty");
      return TensorThreads.call(() -> new Reader(scope, config, stored.tensors()).read());
    } catch (JsonParseException | InvalidInputException e) {
      throw failure(stored, e, e);
    } catch (RuntimeException e) {
      // Gson wraps what a record's constructor throws into a plain RuntimeException.
      throw failure(stored, e.getCause() == null ? e : e.getCause(), e);
    }
  }

  private static InvalidInputException failure(
      StoredPolicy stored, Throwable reason, RuntimeException cause) {
    return new InvalidInputException(
        "policy '%s' cannot be restored: %s; train the model again, or serve by one of its strategies"
            .formatted(stored.version(), reason.getMessage()),
        cause);
  }

  private static void addStageOne(List<TensorSource> all, String name, StageOne stage) {
    all.add(vector(name + ".baseline", stage.baseline()));
    addStandardiser(all, name + ".users", stage.standardiser());
    MixModel network = stage.gate();
    if (network != null) {
      addNetwork(all, name, network);
    }
  }

  private static void addStandardiser(
      List<TensorSource> all, String name, Standardiser standardiser) {
    all.add(vector(name + ".means", standardiser.means()));
    all.add(vector(name + ".deviations", standardiser.deviations()));
    all.add(vector(name + ".limit", new float[] {standardiser.limit()}));
  }

  private static void addNetwork(List<TensorSource> all, String name, MixModel network) {
    for (NamedParameter parameter : network.parameters()) {
      all.add(
          TensorFiles.source(
              name + ".network." + parameter.name(), parameter.parameter().getArray()));
    }
  }

  private static TensorSource vector(String name, float[] values) {
    return TensorSource.of(name, values, values.length);
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new InvalidInputException(what);
    }
  }

  /** Reads the tensors of one policy and remembers which. */
  private static final class Reader {
    private final Scope scope;
    private final Config config;
    private final StoredTensors tensors;
    private final Set<String> unread = new HashSet<>();

    Reader(Scope scope, Config config, StoredTensors tensors) {
      this.scope = scope;
      this.config = config;
      this.tensors = tensors;
      tensors.specs().forEach(spec -> unread.add(spec.name()));
    }

    PolicyParts read() {
      ItemFacts facts = new ItemFacts(notNegative("items.log-popularity", -1));
      PolicyFeatures features = new PolicyFeatures(facts, config.strategies());
      MixShape gateShape = MixShape.ofGate(features, config.options());
      StageOne global = stageOne("global", gateShape, false, false);
      StageOne gate = stageOne("gate", gateShape, config.gate(), false);
      StageOne control = stageOne("control", gateShape, config.control(), true);
      StageTwo two = stageTwo(MixShape.ofPolicy(features, config.options()));
      check(
          unread.isEmpty(),
          "it has tensors that no policy has: " + unread.stream().sorted().toList());
      return new PolicyParts(
          config.options(), config.strategies(), facts, global, gate, control, two);
    }

    private StageOne stageOne(String name, MixShape shape, boolean hasNetwork, boolean blind) {
      float[] baseline = baseline(name + ".baseline");
      Standardiser standardiser = standardiser(name + ".users", shape.userWidth());
      @Nullable MixModel network = hasNetwork ? network(name, shape, baseline) : null;
      return new StageOne(baseline, network, standardiser, blind);
    }

    private StageTwo stageTwo(MixShape shape) {
      float[] baseline = baseline("stage-two.baseline");
      Standardiser users = standardiser("stage-two.users", shape.userWidth());
      Standardiser items = standardiser("stage-two.items", shape.itemWidth());
      float[] strengths = notNegative("stage-two.strengths", -1);
      check(strengths.length > 0, "'stage-two.strengths' is empty");
      for (float strength : strengths) {
        check(strength <= 1, "a strength must be in [0, 1] but is " + strength);
      }
      int[] edges = source("stage-two.edges", strengths.length - 1L).toInts();
      for (int g = 1; g < edges.length; g++) {
        check(edges[g - 1] <= edges[g], "'stage-two.edges' do not ascend");
      }
      List<MixModel> networks = new ArrayList<>();
      for (int i = 0; i < config.policies(); i++) {
        networks.add(network("stage-two." + i, shape, baseline));
      }
      return new StageTwo(
          config.normalisation(), baseline, networks, users, items, edges, strengths);
    }

    /** Weights of the strategies, at least one positive. */
    private float[] baseline(String name) {
      float[] weights = notNegative(name, config.strategies().size());
      boolean any = false;
      for (float weight : weights) {
        any |= weight > 0;
      }
      check(any, "all weights of '%s' are 0".formatted(name));
      return weights;
    }

    private Standardiser standardiser(String name, int width) {
      float[] means = finite(name + ".means", width);
      float[] deviations = positive(name + ".deviations", width);
      return new Standardiser(means, deviations, positive(name + ".limit", 1)[0]);
    }

    private MixModel network(String name, MixShape shape, float[] baseline) {
      String prefix = name + ".network.";
      // Before memory is taken: the options may demand any size, the file has only so many bytes.
      checkShape(prefix + "policy.user.weight", shape.hidden(), shape.userWidth());
      checkShape(prefix + "policy.item.weight", shape.hidden(), shape.secondInput());
      MixModel network = new MixModel(scope, shape, baseline, 0);
      for (NamedParameter parameter : network.parameters()) {
        TensorSource stored = source(prefix + parameter.name());
        TensorFiles.loadInto(parameter.parameter().getArray(), stored);
        checkFinite(stored);
      }
      return network;
    }

    private void checkShape(String name, long... shape) {
      List<Long> stored = tensors.tensor(name).spec().shape();
      List<Long> needed = Arrays.stream(shape).boxed().toList();
      check(
          stored.equals(needed),
          "'%s' has the shape %s but %s is needed".formatted(name, stored, needed));
    }

    private float[] positive(String name, int length) {
      float[] values = finite(name, length);
      for (float value : values) {
        check(value > 0, "'%s' must be > 0 but has %s".formatted(name, value));
      }
      return values;
    }

    private float[] notNegative(String name, int length) {
      float[] values = finite(name, length);
      for (float value : values) {
        check(value >= 0, "'%s' must be >= 0 but has %s".formatted(name, value));
      }
      return values;
    }

    private float[] finite(String name, int length) {
      TensorSource stored = source(name, length);
      checkFinite(stored);
      return stored.toFloats();
    }

    /**
     * A vector.
     *
     * @param length how long it must be; -1 for any length
     */
    private TensorSource source(String name, long length) {
      TensorSource stored = source(name);
      List<Long> shape = stored.spec().shape();
      check(
          shape.size() == 1 && (length < 0 || shape.get(0) == length),
          "'%s' has the shape %s but must be a vector%s"
              .formatted(name, shape, length < 0 ? "" : " of " + length));
      return stored;
    }

    private TensorSource source(String name) {
      unread.remove(name);
      return tensors.tensor(name);
    }

    private static void checkFinite(TensorSource stored) {
      for (float value : stored.toFloats()) {
        check(
            Float.isFinite(value), "'%s' has the value %s".formatted(stored.spec().name(), value));
      }
    }
  }
}
