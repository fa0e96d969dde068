package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LiveHistoriesTest {

  @Test
  void theLatestEventsOfEachUserAreKeptInOrder() {
    LiveHistories live = new LiveHistories(1000, 3);
    assertThat(live.of("u")).isEmpty();
    for (int i = 0; i < 5; i++) {
      live.record("u", "i" + i);
      live.record("v", "j" + i);
    }
    assertThat(live.of("u")).containsExactly("i2", "i3", "i4");
    assertThat(live.of("v")).containsExactly("j2", "j3", "j4");
  }

  @Test
  void usersAreBoundedAndThoseLongAwayGoFirst() {
    for (int max : new int[] {1, 5, 100, 2000}) {
      LiveHistories live = new LiveHistories(max, 10);
      for (int i = 0; i < 20 * max + 100; i++) {
        live.record("faithful", "i" + i);
        live.record("u" + i, "i");
        if (i % 50 == 0) {
          assertThat(live.size()).isLessThanOrEqualTo(max);
        }
      }
      if (max > 1) {
        assertThat(live.of("faithful")).hasSize(10);
        // Looking keeps nobody.
        assertThat(live.of("u0")).isEmpty();
      }
    }
  }

  @Test
  void threadsLoseNoEvent() throws Exception {
    LiveHistories live = new LiveHistories(10, 100_000);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      String item = "t" + t;
      Thread thread =
          new Thread(() -> IntStream.range(0, 500).forEach(i -> live.record("u", item)));
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(live.of("u")).hasSize(2000);
    assertThat(live.of("u").stream().filter("t2"::equals)).hasSize(500);
  }

  @Test
  void eventsThatTheBundleKnowsComeOnce() {
    assertThat(LiveHistories.joined(new int[0], new int[0])).isEmpty();
    assertThat(LiveHistories.joined(new int[] {1, 2}, new int[] {3})).containsExactly(1, 2, 3);
    assertThat(LiveHistories.joined(new int[] {1, 2, 3}, new int[] {2, 3, 4}))
        .containsExactly(1, 2, 3, 4);
    assertThat(LiveHistories.joined(new int[] {5, 5}, new int[] {5, 5, 5}))
        .containsExactly(5, 5, 5);
    assertThat(LiveHistories.joined(new int[] {1, 2}, new int[] {1, 2})).containsExactly(1, 2);
    Random random = new Random(1);
    for (int i = 0; i < 300; i++) {
      int[] all = random.ints(12, 0, 3).toArray();
      int end = random.nextInt(13);
      int begin = random.nextInt(end + 1);
      int[] joined =
          LiveHistories.joined(Arrays.copyOf(all, end), Arrays.copyOfRange(all, begin, 12));
      // A longer overlap than the true one may be found where events repeat: never a shorter one.
      assertThat(joined.length).isBetween(Math.max(end, 12 - begin), 12);
      assertThat(Arrays.copyOf(joined, end)).isEqualTo(Arrays.copyOf(all, end));
    }
  }
}
