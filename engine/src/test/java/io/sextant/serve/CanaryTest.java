package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.NewItem;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class CanaryTest {

  @TempDir private Path folder = Path.of("");

  private final Queue<FakeModel> models = new ConcurrentLinkedQueue<>();
  private Path one = Path.of("");
  private Path two = Path.of("");

  @BeforeEach
  void write() {
    one = FakeModel.write(folder.resolve("one"), 1);
    two = FakeModel.write(folder.resolve("two"), 2);
  }

  private Recommender open() {
    return Recommender.open(
        one,
        RecommenderOptions.builder().timeout(Duration.ofSeconds(30)).build(),
        FakeModel.loader(models, users -> {}));
  }

  private static Recommendations ask(Recommender recommender, String user) {
    return recommender.recommend(RecommendationRequest.forUser(user).k(3).build());
  }

  @Test
  void bucketsStayAndDivideFairly() {
    List<String> users = FakeModel.ids("user", 20_000);
    StickyBuckets fifth = new StickyBuckets("a", 0.2);
    StickyBuckets half = new StickyBuckets("a", 0.5);
    StickyBuckets other = new StickyBuckets("b", 0.5);
    int inFifth = 0;
    int both = 0;
    for (String user : users) {
      inFifth += fifth.contain(user) ? 1 : 0;
      // Whoever was in stays in when the share grows.
      assertThat(fifth.contain(user) && !half.contain(user)).isFalse();
      both += half.contain(user) && other.contain(user) ? 1 : 0;
    }
    // Five standard errors of a share of 20,000.
    assertThat(inFifth / 20_000.0).isCloseTo(0.2, within(0.0142));
    assertThat(both / 20_000.0).isCloseTo(0.25, within(0.0154));
    assertThat(new StickyBuckets("a", 1).contain("x")).isTrue();
    assertThat(new StickyBuckets("a", 0).contain("x")).isFalse();
    assertThatThrownBy(() -> new StickyBuckets("a", 1.1)).hasMessageContaining("in 0..1");
  }

  @Test
  void aShareOfTheUsersGetsTheCanary() {
    StickyBuckets buckets = new StickyBuckets("test", 0.4);
    try (Recommender recommender = open()) {
      String first = recommender.modelVersion();
      String second = recommender.startCanary(two, buckets);
      assertThat(recommender.canaryVersion()).contains(second);
      assertThat(recommender.modelVersion()).isEqualTo(first);
      Set<String> seen = new HashSet<>();
      for (String user : FakeModel.ids("u", 40)) {
        String version = ask(recommender, user).modelVersion();
        assertThat(version).isEqualTo(buckets.contain(user) ? second : first);
        seen.add(version);
      }
      assertThat(seen).hasSize(2);
      assertThat(
              recommender
                  .recommend(RecommendationRequest.forHistory(List.of("i1")).build())
                  .modelVersion())
          .isEqualTo(first);
      assertThat(recommender.promoteCanary()).isEqualTo(second);
      assertThat(recommender.canaryVersion()).isEmpty();
      assertThat(ask(recommender, "u1").modelVersion()).isEqualTo(second);
      assertThat(recommender.rollback()).isEqualTo(first);
      assertThat(ask(recommender, "u1").modelVersion()).isEqualTo(first);
      // Forward again: what a rollback left is what was before.
      assertThat(recommender.rollback()).isEqualTo(second);
    }
    assertThat(models).hasSize(4).allMatch(model -> model.closed.get() == 1);
  }

  @Test
  void changesOfItemsHoldForTheCanary() {
    try (Recommender recommender = open()) {
      recommender.setAvailable("i5", false);
      recommender.startCanary(two, new StickyBuckets("test", 1));
      recommender.setAvailable("i6", false);
      recommender.addItem(new NewItem("new", Map.of(), List.of("i1")));
      List<String> all =
          recommender.recommend(RecommendationRequest.forUser("x").k(300).build()).itemIds();
      assertThat(all).doesNotContain("i5", "i6").contains("new", "i7");
      recommender.setAvailable("i5", true);
      assertThat(recommender.recommend(RecommendationRequest.forUser("x").k(300).build()).itemIds())
          .contains("i5");
      recommender.promoteCanary();
      assertThat(recommender.recommend(RecommendationRequest.forUser("x").k(300).build()).itemIds())
          .contains("i5", "new")
          .doesNotContain("i6");
    }
  }

  @Test
  void whatCannotBeDoneChangesNothing() {
    try (Recommender recommender = open()) {
      String first = recommender.modelVersion();
      assertThatThrownBy(recommender::promoteCanary)
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("no canary");
      assertThatThrownBy(recommender::rollback).hasMessageContaining("no earlier version");
      assertThat(recommender.stopCanary()).isFalse();
      assertThatThrownBy(
              () -> recommender.startCanary(folder.resolve("none"), new StickyBuckets("t", 1)))
          .isInstanceOf(InvalidInputException.class);
      assertThat(recommender.canaryVersion()).isEmpty();
      recommender.startCanary(two, new StickyBuckets("t", 1));
      assertThat(recommender.stopCanary()).isTrue();
      assertThat(ask(recommender, "u1").modelVersion()).isEqualTo(first);
      recommender.swap(two);
      // Somebody has put another bundle where the old one was.
      FakeModel.write(one, 3);
      assertThatThrownBy(recommender::rollback).hasMessageContaining("but " + first);
      assertThat(recommender.modelVersion()).isNotEqualTo(first);
    }
    assertThat(models).allMatch(model -> model.closed.get() == 1);
  }

  @Test
  void requestsUnderWayAreAnsweredWhileCanariesComeAndGo() {
    AtomicBoolean stop = new AtomicBoolean();
    try (Recommender recommender = open()) {
      List<CompletableFuture<Integer>> callers = new ArrayList<>();
      for (int caller = 0; caller < 3; caller++) {
        int number = caller;
        callers.add(
            CompletableFuture.supplyAsync(
                () -> {
                  int answered = 0;
                  while (!stop.get()) {
                    assertThat(ask(recommender, "u" + (answered + number) % 20).items()).hasSize(3);
                    answered++;
                  }
                  return answered;
                }));
      }
      for (int turn = 0; turn < 12; turn++) {
        recommender.startCanary(turn % 2 == 0 ? two : one, new StickyBuckets("t" + turn, 0.5));
        switch (turn % 3) {
          case 0 -> recommender.stopCanary();
          case 1 -> recommender.promoteCanary();
          default -> recommender.swap(one);
        }
      }
      stop.set(true);
      assertThat(callers.stream().mapToInt(CompletableFuture::join).sum()).isPositive();
    }
    assertThat(models).allMatch(model -> model.closed.get() == 1);
    assertThat(IntStream.range(0, models.size())).isNotEmpty();
  }
}
