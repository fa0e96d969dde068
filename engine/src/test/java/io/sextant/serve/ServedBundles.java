package io.sextant.serve;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Dataset;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaTrainer;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.TopK;
import io.sextant.store.BundleWriter;
import io.sextant.store.TensorSource;
import io.sextant.strategy.Als;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.Strategy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Bundles of small fitted models: users walk along the items, with jumps. Item i has the category
 * {@code c(i % 5)} and the country {@code at} or {@code de}; every seventh has no attribute.
 */
final class ServedBundles {

  static final int USERS = 90;
  static final int ITEMS = 70;
  static final MetaOptions OPTIONS =
      MetaOptions.builder()
          .k(5)
          .candidates(25)
          .poolDepth(8)
          .hidden(6)
          .epochs(3)
          .patience(0)
          .build();

  private ServedBundles() {}

  /** Dense and sparse strategies with a policy over them. */
  static Path policy(Path directory, long seed) {
    return policy(directory, seed, OPTIONS, Device.cpu());
  }

  /** The same, fitted on a device. */
  static Path policy(Path directory, long seed, Device device) {
    return policy(directory, seed, OPTIONS, device);
  }

  /** The same with another policy. */
  static Path policy(Path directory, long seed, MetaOptions options) {
    return policy(directory, seed, options, Device.cpu());
  }

  private static Path policy(Path directory, long seed, MetaOptions options, Device device) {
    Interactions all = walks(seed);
    Split split = Splitter.leaveOneOut().split(all);
    try (StrategyPool pool = pool(split.train(), device);
        TopK topK = new TopK();
        MetaPolicy policy =
            new MetaTrainer(options, line -> {})
                .fit(pool, topK, split.train(), split.train(), split.validation());
        StrategyPool refitted = pool(all, device);
        MetaPolicy latest = policy.refitted(all)) {
      BundleWriter writer = writer(refitted, all);
      writer.policy(latest.version(), latest.configJson(), latest.tensors()).write(directory);
    }
    return directory;
  }

  /** The strategies without a policy; the last one is served. */
  static Path strategies(Path directory, long seed) {
    Interactions all = walks(seed);
    try (StrategyPool pool = pool(all, Device.cpu())) {
      writer(pool, all).write(directory);
    }
    return directory;
  }

  /** A strategy of which one number of one item's vector is a bad one. */
  static Path diverged(Path directory, float bad) {
    Interactions all = walks(1);
    try (StrategyPool pool = pool(all, Device.cpu())) {
      StrategyPool.Member als = pool.members().get(pool.size() - 1);
      List<TensorSource> tensors = new ArrayList<>();
      for (TensorSource tensor : als.fitted().tensors()) {
        float[] values = tensor.toFloats();
        values[values.length / 2] = bad;
        tensors.add(TensorSource.of(tensor.spec().name(), values, tensor.spec().dimensions()));
      }
      new BundleWriter()
          .strategy("als", als.fitted().type(), als.fitted().configJson(), tensors)
          .users(FakeModel.ids("u", USERS))
          .items(FakeModel.ids("i", ITEMS))
          .write(directory);
    }
    return directory;
  }

  private static BundleWriter writer(StrategyPool pool, Interactions all) {
    BundleWriter writer = new BundleWriter();
    for (StrategyPool.Member member : pool.members()) {
      writer.strategy(
          member.name(),
          member.fitted().type(),
          member.fitted().configJson(),
          member.fitted().tensors());
    }
    StringBuilder attributes = new StringBuilder("{");
    for (int item = 0; item < ITEMS; item++) {
      if (item % 7 != 6) {
        attributes.append(
            "%s\"i%d\": {\"category\": \"c%d\", \"country\": [\"%s\"]}"
                .formatted(item == 0 ? "" : ", ", item, item % 5, item % 2 == 0 ? "at" : "de"));
      }
    }
    return writer
        .users(IntStream.range(0, USERS).mapToObj(all.users()::idOf).toList())
        .items(IntStream.range(0, ITEMS).mapToObj(all.items()::idOf).toList())
        .histories(all::historyOf)
        .document(ServedVersion.ATTRIBUTES, attributes.append('}').toString())
        .document(ServedVersion.TITLES, "{\"i3\": \"The Third\"}");
  }

  private static StrategyPool pool(Interactions train, Device device) {
    List<Strategy> strategies =
        List.of(
            Popularity.allTime(),
            SessionTransitions.wide(),
            LowPass.builder().factors(4).build(),
            Als.builder().factors(5).epochs(3).build());
    return StrategyPool.fit(strategies, s -> FitContext.of(device, Dataset.of(train)));
  }

  static Interactions walks(long seed) {
    Random random = new Random(seed);
    IdIndex users = IdIndex.of(FakeModel.ids("u", USERS));
    IdIndex items = IdIndex.of(FakeModel.ids("i", ITEMS));
    Interactions.Builder rows = Interactions.builder(users, items);
    for (int user = 0; user < USERS; user++) {
      int item = random.nextInt(ITEMS);
      int length = 3 + random.nextInt(12);
      for (int step = 0; step < length; step++) {
        rows.add(
            user, item, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
        item = random.nextInt(4) == 0 ? random.nextInt(ITEMS) : (item + 1 + user % 3) % ITEMS;
      }
    }
    return rows.build();
  }
}
