package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ItemSamplerTest {

  private static final int DRAWS = 1_000_000;

  /** An item is off by more than so many standard deviations with probability 2e-9 (normal). */
  private static final double DEVIATIONS = 6;

  @ParameterizedTest
  @ValueSource(floats = {0, 0.5f, 0.75f, 1, 2})
  void itemsAreDrawnAsOftenAsTheirProbabilitySays(float power) {
    for (long seed = 1; seed <= 3; seed++) {
      Random random = new Random(seed);
      int[] counts = new int[200];
      Arrays.setAll(counts, i -> (int) Math.pow(random.nextInt(10), 3));
      double[] expected = probabilities(counts, power);
      ItemSampler sampler = new ItemSampler(counts, power);
      int[] drawn = draw(sampler, counts.length, seed);
      for (int item = 0; item < counts.length; item++) {
        double p = expected[item];
        assertThat(sampler.probability(item)).isCloseTo(p, within(1e-12));
        double bound = DEVIATIONS * Math.sqrt(DRAWS * p * (1 - p)) + DEVIATIONS;
        // One of the 3000 comparisons fails by chance with probability 6e-6; the seeds are fixed.
        assertThat((double) drawn[item])
            .as("seed %d, power %s, item %d", seed, power, item)
            .isCloseTo(DRAWS * p, within(bound));
      }
    }
  }

  @Test
  void anItemThatWasNeverSeenCountsAsSeenOnce() {
    ItemSampler sampler = new ItemSampler(new int[] {0, 1, 2}, 1);
    assertThat(sampler.probability(0)).isEqualTo(0.25);
    assertThat(sampler.probability(1)).isEqualTo(0.25);
    assertThat(sampler.probability(2)).isEqualTo(0.5);
    assertThat(draw(sampler, 3, 1)[0]).isPositive();
  }

  @Test
  void countsOfVeryDifferentSizeAndASingleItem() {
    int[] counts = new int[1000];
    counts[7] = Integer.MAX_VALUE;
    ItemSampler steep = new ItemSampler(counts, 1);
    // The other 999 together have 5e-7: more than 20 in a million draws has probability 1e-27.
    assertThat(draw(steep, 1000, 1)[7]).isGreaterThan(DRAWS - 20);
    assertThat(draw(new ItemSampler(new int[] {5}, 0.75f), 1, 1)[0]).isEqualTo(DRAWS);
    assertThat(draw(new ItemSampler(new int[] {0}, 0), 1, 1)[0]).isEqualTo(DRAWS);
  }

  @ParameterizedTest
  @EnumSource(
      value = Objective.class,
      names = {"BPR", "BCE"})
  void seenItemsAreNeverDrawnAndAllOthersAre(Objective objective) {
    // User 0 has seen 4 items of 11, the others one each: the 64 draws for one negative are all in
    // vain with probability (4/11)^64 = 1e-28, and an item is never drawn with (10/11)^1000 =
    // 4e-42.
    Interactions.Builder rows =
        Interactions.builder(Fixture.ids("u", 3), Fixture.ids("i", Fixture.ITEMS));
    for (int item = 0; item < 4; item++) {
      add(rows, 0, item);
    }
    add(rows, 1, 10);
    add(rows, 2, 0);
    Interactions data = rows.build();
    boolean[][] drawn = draw(data, objective, true);
    for (int user = 0; user < 3; user++) {
      boolean[] seen = new boolean[Fixture.ITEMS];
      for (int item : data.seenOf(user)) {
        seen[item] = true;
      }
      for (int item = 0; item < Fixture.ITEMS; item++) {
        assertThat(drawn[user][item]).as("user %d, item %d", user, item).isEqualTo(!seen[item]);
      }
    }
  }

  @Test
  void withoutExclusionSeenItemsAreDrawn() {
    Interactions.Builder rows =
        Interactions.builder(Fixture.ids("u", 1), Fixture.ids("i", Fixture.ITEMS));
    add(rows, 0, 4);
    assertThat(draw(rows.build(), Objective.BPR, false)[0]).doesNotContain(false);
  }

  @Test
  void aUserWhoHasSeenEverythingGetsNegativesAllTheSame() {
    Interactions.Builder rows =
        Interactions.builder(Fixture.ids("u", 1), Fixture.ids("i", Fixture.ITEMS));
    for (int item = 0; item < Fixture.ITEMS; item++) {
      add(rows, 0, item);
    }
    assertThat(draw(rows.build(), Objective.BPR, true)[0]).contains(true);
  }

  private static void add(Interactions.Builder rows, int user, int item) {
    rows.add(user, item, EventType.CLICK, Float.NaN, 1, 1000L, InteractionFeatures.UNKNOWN);
  }

  /** Which items each user was compared with in 50 steps of 20 negatives an example. */
  private static boolean[][] draw(Interactions data, Objective objective, boolean excludeSeen) {
    int negatives = 20;
    TwoTowerOptions shape = TwoTowerOptions.builder().dimension(2).build();
    SamplingOptions sampling =
        SamplingOptions.builder()
            .objective(objective)
            .negatives(negatives)
            .excludeSeen(excludeSeen)
            .build();
    int[] examples = new int[data.size()];
    Arrays.setAll(examples, i -> i);
    int[] users = data.userOfRow();
    return TensorThreads.call(
        () -> {
          boolean[][] drawn = new boolean[data.numUsers()][data.numItems()];
          try (Fixture fixture = new Fixture(data, shape, sampling, 1)) {
            for (long step = 0; step < 50; step++) {
              try (Scope scope = fixture.scope().child()) {
                TwoTowerBatch batch = fixture.task().prepare(scope, examples, step);
                long[] tower = batch.items().entity().toLongArray();
                long[] locals = Objects.requireNonNull(batch.negatives()).toLongArray();
                for (int i = 0; i < locals.length; i++) {
                  drawn[users[examples[i / negatives]]][(int) tower[(int) locals[i]]] = true;
                }
              }
            }
          }
          return drawn;
        });
  }

  private static int[] draw(ItemSampler sampler, int numItems, long seed) {
    CounterRandom random = new CounterRandom(seed, "sampler-test", 0);
    int[] drawn = new int[numItems];
    for (int i = 0; i < DRAWS; i++) {
      drawn[sampler.draw(random)]++;
    }
    return drawn;
  }

  private static double[] probabilities(int[] counts, float power) {
    double[] masses =
        Arrays.stream(counts).mapToDouble(c -> Math.pow(c == 0 ? 1 : c, power)).toArray();
    double sum = Arrays.stream(masses).sum();
    return Arrays.stream(masses).map(m -> m / sum).toArray();
  }
}
