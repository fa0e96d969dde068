package io.sextant.cli;

import ai.djl.Device;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.data.Interactions;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaStrategy;
import io.sextant.meta.PolicyProfile;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.FittedSequence;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.FittedTwoTower;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.UserState;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Devices;
import io.sextant.train.TrainingResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a bundle was made: what {@code train} keeps in it, and {@code report} shows. */
final class TrainingRecord {

  /** The bundle's document. */
  static final String DOCUMENT = "training.json";

  private static final int PROFILE_USERS = 200;

  private TrainingRecord() {}

  /** What the strategies took, and how those went that are trained in epochs. */
  static void fits(Fitted fitted, Map<String, Object> result) {
    List<Map<String, Object>> fits = new ArrayList<>();
    result.put("epochs", 0);
    result.put("examplesPerSecond", 0.0);
    for (StrategyPool.Member member : fitted.pool().members()) {
      Map<String, Object> fit = new LinkedHashMap<>();
      fit.put("strategy", member.name());
      fit.put("type", member.fitted().type());
      fit.put("seconds", member.fitSeconds());
      fit.put(
          "modelMb",
          member.fitted().tensors().stream().mapToLong(tensor -> tensor.spec().bytes()).sum()
              / 0x1p20);
      training(member.fitted())
          .ifPresent(
              training -> {
                fit.put("training", training);
                result.put("epochs", training.epochs());
                result.put("examplesPerSecond", training.examplesPerSecond());
                result.put("validation", training.validations());
                if (!training.rowCache().isEmpty()) {
                  result.put("rowCache", training.rowCache());
                }
              });
      fits.add(fit);
    }
    result.put("fits", fits);
  }

  private static Optional<TrainingResult> training(FittedStrategy strategy) {
    if (strategy instanceof FittedTwoTower twoTower) {
      return twoTower.trainingResult();
    }
    return strategy instanceof FittedSequence sequence
        ? sequence.trainingResult()
        : Optional.empty();
  }

  /** What the policy does with a sample of the users; null if there is no policy. */
  static @Nullable PolicyProfile profile(
      @Nullable MetaPolicy policy, StrategyPool pool, Interactions data, long seed) {
    if (policy == null) {
      return null;
    }
    int[] users = Ranker.usersWith(data);
    new CounterRandom(seed, "profile-users", 0).shuffle(users);
    List<UserState> sample =
        Arrays.stream(users)
            .limit(PROFILE_USERS)
            .mapToObj(user -> new UserState(user, data.historyOf(user)))
            .toList();
    try (TopK topK = new TopK();
        MetaStrategy meta = policy.over(pool, topK, data)) {
      return PolicyProfile.of(meta, sample);
    }
  }

  /** The document. */
  static String json(
      Interactions data, String recipe, long seed, Device device, Map<String, Object> result) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("version", Main.version());
    all.put("commit", System.getProperty("sextant.commit", "unknown"));
    all.put("device", Devices.name(device));
    all.put("seed", seed);
    all.put(
        "data", Map.of("events", data.size(), "users", data.numUsers(), "items", data.numItems()));
    all.putAll(result);
    all.put("recipe", recipe);
    try {
      return new ObjectMapper().writeValueAsString(all);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a result is made of what JSON can hold", e);
    }
  }
}
