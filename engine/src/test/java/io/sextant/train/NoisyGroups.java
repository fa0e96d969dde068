package io.sextant.train;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import java.util.List;
import java.util.Random;

/**
 * Users of two groups who mean items of their own group; of what is observed two fifths are of the
 * other. The first feature of an interaction tells the two apart, not without fail; the second is
 * noise.
 */
public final class NoisyGroups {

  static final int USERS = 200;
  static final int ITEMS = 100;
  private static final int ROWS = 30;
  private static final IdIndex USER_IDS = Fixture.ids("u", USERS);
  private static final IdIndex ITEM_IDS = Fixture.ids("i", ITEMS);

  public final Interactions train;
  public final boolean[] corrupt;
  public final ExampleFeatures features;
  public final Interactions metaSet;
  public final Interactions guardSet;
  public final Interactions test;

  /** What the meta set would be if users meant the other group's items. */
  public final Interactions opposite;

  public NoisyGroups(long seed, boolean informative) {
    Random random = new Random(seed);
    Interactions.Builder rows = Interactions.builder(USER_IDS, ITEM_IDS);
    corrupt = new boolean[USERS * ROWS];
    float[] values = new float[2 * corrupt.length];
    for (int row = 0; row < corrupt.length; row++) {
      int user = row / ROWS;
      corrupt[row] = random.nextInt(5) < 2;
      add(rows, user, item(random, corrupt[row] ? user + 1 : user));
      values[2 * row] = (float) random.nextGaussian() + (informative && corrupt[row] ? 2.5f : 0);
      values[2 * row + 1] = (float) random.nextGaussian();
    }
    train = rows.build();
    features =
        ExampleFeatures.of(
            ExampleFeatures.Columns.standardized(List.of("telling", "noise"), values));
    metaSet = clean(random, 5, 0);
    guardSet = clean(random, 5, 0);
    test = clean(random, 5, 0);
    opposite = clean(random, 5, 1);
  }

  private static Interactions clean(Random random, int perUser, int group) {
    Interactions.Builder rows = Interactions.builder(USER_IDS, ITEM_IDS);
    for (int user = 0; user < USERS; user++) {
      for (int n = 0; n < perUser; n++) {
        add(rows, user, item(random, user + group));
      }
    }
    return rows.build();
  }

  /** Groups are the odd and the even. */
  private static int item(Random random, int group) {
    return 2 * random.nextInt(ITEMS / 2) + group % 2;
  }

  private static void add(Interactions.Builder rows, int user, int item) {
    rows.add(user, item, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
  }
}
