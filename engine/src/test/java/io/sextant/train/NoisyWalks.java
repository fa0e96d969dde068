package io.sextant.train;

import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import java.util.List;
import java.util.Random;

/**
 * Users who walk through the items by steps of 5. Of what is observed about half is a step of 11,
 * which nobody means. The first feature of an interaction tells the two apart, not without fail;
 * the second is noise. What comes next is meant: a third of the users is trusted, a third guards, a
 * third tests.
 */
public final class NoisyWalks {

  static final int USERS = 300;
  static final int ITEMS = 40;
  private static final int ROWS = 10;
  private static final IdIndex USER_IDS = Fixture.ids("u", USERS);
  private static final IdIndex ITEM_IDS = Fixture.ids("i", ITEMS);

  public final Interactions train;
  public final boolean[] corrupt;
  public final ExampleFeatures features;
  public final Interactions metaSet;
  public final Interactions guardSet;
  public final Interactions test;

  public NoisyWalks(long seed, boolean informative) {
    Random random = new Random(seed);
    corrupt = new boolean[USERS * ROWS];
    float[] values = new float[2 * corrupt.length];
    Interactions.Builder rows = Interactions.builder(USER_IDS, ITEM_IDS);
    Interactions.Builder next = Interactions.builder(USER_IDS, ITEM_IDS);
    for (int user = 0; user < USERS; user++) {
      int item = random.nextInt(ITEMS);
      for (int i = 0; i < ROWS; i++) {
        int row = user * ROWS + i;
        corrupt[row] = random.nextBoolean();
        item = (item + (corrupt[row] ? 11 : 5)) % ITEMS;
        add(rows, user, item, i);
        values[2 * row] = (float) random.nextGaussian() + (informative && corrupt[row] ? 2.5f : 0);
        values[2 * row + 1] = (float) random.nextGaussian();
      }
      add(next, user, (item + 5) % ITEMS, ROWS);
    }
    train = rows.build();
    features =
        ExampleFeatures.of(
            ExampleFeatures.Columns.standardized(List.of("telling", "noise"), values));
    Interactions meant = next.build();
    metaSet = meant.filter(row -> row % 3 == 0);
    guardSet = meant.filter(row -> row % 3 == 1);
    test = meant.filter(row -> row % 3 == 2);
  }

  private static void add(Interactions.Builder rows, int user, int item, long time) {
    rows.add(user, item, EventType.CLICK, Float.NaN, 1, time, InteractionFeatures.UNKNOWN);
  }
}
