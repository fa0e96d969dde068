package io.sextant.serve;

import ai.djl.Device;
import io.sextant.Parity;
import io.sextant.RankedLists;
import io.sextant.meta.ServableModel;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.store.ModelBundle;
import io.sextant.strategy.UserState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A policy over strategies on another device. */
class ServedParityTest {

  @TempDir Path folder;

  @Test
  void anotherDeviceFitsAndServesTheSamePolicy() {
    Device device = Parity.device();
    Path here = ServedBundles.policy(folder.resolve("here"), 4);
    Path there = ServedBundles.policy(folder.resolve("there"), 4, device);
    RankedLists expected = lists(here, "cpu");
    String name = System.getProperty("sextant.parity.device", "cpu");
    Parity.assertSameLists(lists(here, name), expected, 1e-5);
    // Two networks that were trained apart: steps add up rounding.
    Parity.assertSameLists(lists(there, "cpu"), expected, 1e-2);
  }

  private static RankedLists lists(Path directory, String device) {
    try (ModelBundle bundle = ModelBundle.open(directory);
        ServableModel model = ServableModel.load(bundle, device, null, 0)) {
      List<UserState> users = new ArrayList<>();
      for (int user = 0; user < ServedBundles.USERS; user++) {
        users.add(new UserState(user, bundle.histories().orElseThrow().of(user)));
      }
      users.add(UserState.unseen(4, 9));
      return model.rank(users, 10, ExcludedItems.NONE);
    }
  }
}
