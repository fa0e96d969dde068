package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.SextantException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import kafka.server.BrokerServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.test.KafkaClusterTestKit;
import org.apache.kafka.common.test.TestKitNodes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/** The log in a broker that runs in this process; the last test stops it. */
@Timeout(180)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KafkaBrokerTest {

  private static final int DECISIONS = 600;
  private static final int WRITERS = 4;

  private static @Nullable KafkaClusterTestKit cluster;

  private static KafkaClusterTestKit cluster() {
    return Objects.requireNonNull(cluster);
  }

  @BeforeAll
  static void start() throws Exception {
    KafkaClusterTestKit kit =
        new KafkaClusterTestKit.Builder(
                new TestKitNodes.Builder()
                    .setCombined(true)
                    .setNumBrokerNodes(1)
                    .setNumControllerNodes(1)
                    .build())
            .setConfigProp("auto.create.topics.enable", "false")
            .setConfigProp("log.cleaner.backoff.ms", "100")
            .build();
    cluster = kit;
    kit.format();
    kit.startup();
    kit.waitForReadyBrokers();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster().close();
  }

  private static Map<String, Object> connection() {
    return Map.of("bootstrap.servers", cluster().bootstrapServers());
  }

  private static KafkaDecisionLog.Topics topics(String name, Map<String, String> config)
      throws Exception {
    KafkaDecisionLog.Topics topics =
        new KafkaDecisionLog.Topics(name + "-decisions", name + "-outcomes");
    List<String> names = List.of(topics.decisions(), topics.outcomes());
    try (Admin admin = cluster().admin()) {
      admin
          .createTopics(
              names.stream().map(one -> new NewTopic(one, 3, (short) 1).configs(config)).toList())
          .all()
          .get();
      while (!admin.listTopics().names().get().containsAll(names)) {
        Thread.sleep(20);
      }
    }
    return topics;
  }

  private static KafkaDecisionLog.Topics compacted(String name) throws Exception {
    return topics(name, Map.of("cleanup.policy", "compact"));
  }

  @Test
  @Order(1)
  void whatManyWritersHadAcknowledgedIsReadAndLearnedFrom() throws Exception {
    KafkaDecisionLog.Topics topics = compacted("many");
    try (KafkaDecisionLog log = KafkaDecisionLog.open(connection(), topics)) {
      List<CompletableFuture<Void>> writers = new ArrayList<>();
      for (int writer = 0; writer < WRITERS; writer++) {
        int first = writer;
        writers.add(CompletableFuture.runAsync(() -> write(log, first)));
      }
      writers.forEach(CompletableFuture::join);
    }
    // Another process would see the same.
    try (KafkaDecisionLog log = KafkaDecisionLog.open(connection(), topics)) {
      RewardRule click = RewardRule.happened(EventType.CLICK, 100);
      List<LoggedDecision> mature = ServedLog.mature(log, click, 0, 100_000);
      assertThat(mature).hasSize(DECISIONS);
      for (int i = 0; i < DECISIONS; i++) {
        LoggedDecision one = mature.get(i);
        SqliteDecisionLogTest.assertSame(one.decision(), decision(i));
        assertThat(one.outcomes()).containsExactly(outcome(i));
      }
      LoggedSlates slates =
          ServedLog.slates(
              mature, click, CandidateScorer.weighted(1, 1), new SlateSampler(2, 0, 5, 1, 0));
      assertThat(slates.size()).isEqualTo(DECISIONS);
      assertThat(slates.reward(7, 0)).isEqualTo(1);
      assertThat(log.orphans()).isZero();
    }
  }

  private static Decision decision(int i) {
    return SqliteDecisionLogTest.decision("d" + i, "u" + i % 10, i);
  }

  private static Outcome outcome(int i) {
    Decision decision = decision(i);
    String item = decision.candidates().get(decision.slate()[0]).itemId();
    return Outcome.of(decision.id(), item, EventType.CLICK, i + 5);
  }

  /** Every outcome twice, and one of them before its decision. */
  private static void write(DecisionLog log, int first) {
    List<CompletableFuture<Void>> written = new ArrayList<>();
    for (int i = first; i < DECISIONS; i += WRITERS) {
      written.add(log.record(outcome(i)));
      written.add(log.record(decision(i)));
      written.add(log.record(outcome(i)));
    }
    written.forEach(CompletableFuture::join);
  }

  /** Whoever is forgotten is gone for readers at once, and from the broker's files in time. */
  @Test
  @Order(2)
  void whatIsForgottenIsErasedByTheBroker() throws Exception {
    KafkaDecisionLog.Topics topics =
        topics(
            "erased",
            Map.of(
                "cleanup.policy",
                "compact",
                "segment.ms",
                "100",
                "min.cleanable.dirty.ratio",
                "0.001",
                "max.compaction.lag.ms",
                "100",
                "delete.retention.ms",
                "0"));
    try (KafkaDecisionLog log = KafkaDecisionLog.open(connection(), topics)) {
      for (int i = 0; i < 40; i++) {
        log.record(SqliteDecisionLogTest.decision("d" + i, "person " + i % 4, i)).join();
        log.record(Outcome.of("d" + i, "seen by d" + i, EventType.CLICK, i)).join();
      }
      assertThat(raw(topics)).contains("person 3", "seen by d39");
      assertThat(log.forget("person 3")).isEqualTo(new DecisionLog.Removed(10, 10));
      List<LoggedDecision> all = new ArrayList<>();
      log.read(0, 1000, all::add);
      assertThat(all).hasSize(30).noneMatch(d -> "person 3".equals(d.decision().userId()));
      assertThat(all).allMatch(d -> d.outcomes().size() == 1);
      assertThat(log.orphans()).isZero();
      String left = raw(topics);
      // A segment is closed, and then cleaned, when something comes after it.
      for (int i = 0; left.contains("person 3") || left.contains("seen by d39"); i++) {
        Thread.sleep(150);
        for (int partition = 0; partition < 9; partition++) {
          log.record(SqliteDecisionLogTest.decision("n" + partition, "n" + partition, i)).join();
          log.record(Outcome.of("n" + partition, "i", EventType.CLICK, i)).join();
        }
        left = raw(topics);
      }
      assertThat(left).contains("person 2", "seen by d38");
    }
  }

  /** All that the broker still holds of both topics, as text. */
  private static String raw(KafkaDecisionLog.Topics topics) {
    StringBuilder text = new StringBuilder();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            connection(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      Set<TopicPartition> partitions = new HashSet<>();
      for (String topic : List.of(topics.decisions(), topics.outcomes())) {
        consumer
            .partitionsFor(topic)
            .forEach(p -> partitions.add(new TopicPartition(topic, p.partition())));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(50))) {
          if (record.value() != null) {
            text.append(new String(record.value(), StandardCharsets.UTF_8)).append('\n');
          }
        }
      }
    }
    return text.toString();
  }

  @Test
  @Order(3)
  void topicsThatCannotForgetOrAreNotThereAreRefused() throws Exception {
    KafkaDecisionLog.Topics deleting = topics("deleting", Map.of("cleanup.policy", "delete"));
    assertThatThrownBy(() -> KafkaDecisionLog.open(connection(), deleting))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("topic 'deleting-decisions' is not compacted (cleanup.policy=delete)")
        .hasMessageContaining("set cleanup.policy=compact");
    KafkaDecisionLog.Topics absent = new KafkaDecisionLog.Topics("no", "none");
    assertThatThrownBy(() -> KafkaDecisionLog.open(connection(), absent))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("topics 'no' and 'none' must be there");
    assertThatThrownBy(() -> KafkaDecisionLog.open(connection(), absent, 0))
        .hasMessageContaining("queuedBytes must be >= 1");
    assertThatThrownBy(() -> KafkaDecisionLog.open(Map.of("bootstrap.servers", "x"), absent))
        .isInstanceOf(SextantException.class);
  }

  /** Whatever the broker does, callers are not held up and nothing is acknowledged. */
  @Test
  @Order(4)
  void aBrokerThatIsGoneFailsWritesAndHoldsUpNobody() throws Exception {
    Map<String, Object> hasty =
        Map.of(
            "bootstrap.servers",
            cluster().bootstrapServers(),
            "delivery.timeout.ms",
            3000,
            "request.timeout.ms",
            1000,
            "linger.ms",
            0);
    try (KafkaDecisionLog log = KafkaDecisionLog.open(hasty, compacted("gone"), 20_000)) {
      log.record(decision(0)).join();
      cluster().brokers().values().forEach(BrokerServer::shutdown);
      List<CompletableFuture<Void>> waiting = new ArrayList<>();
      int refused = 0;
      for (int i = 1; i < 200; i++) {
        try {
          waiting.add(log.record(decision(i)));
        } catch (OverloadedException e) {
          refused++;
        }
      }
      // Refused where memory is full, or failed at once where the broker said good-bye in time.
      assertThat(waiting).hasSize(199 - refused).isNotEmpty();
      for (CompletableFuture<Void> one : waiting) {
        assertThatThrownBy(one::join)
            .isInstanceOf(CompletionException.class)
            .cause()
            .isInstanceOf(SextantException.class)
            .hasMessageContaining("has not acknowledged");
      }
    }
  }
}
