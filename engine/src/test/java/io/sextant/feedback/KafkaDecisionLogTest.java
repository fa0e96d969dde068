package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.SextantException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The log with Kafka's own mock clients: what a broker acknowledges, keeps and gives back. */
@Timeout(60)
class KafkaDecisionLogTest {

  private static final KafkaDecisionLog.Topics TOPICS =
      new KafkaDecisionLog.Topics("decisions", "outcomes");
  private static final int PARTITIONS = 3;

  private MockProducer<byte[], byte[]> producer = producer(true);
  private @Nullable RuntimeException readingFails;

  private static MockProducer<byte[], byte[]> producer(boolean acknowledges) {
    return new MockProducer<>(
        new Cluster("cluster", List.of(), partitions(), Set.of(), Set.of()),
        acknowledges,
        null,
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static List<PartitionInfo> partitions() {
    List<PartitionInfo> partitions = new ArrayList<>();
    for (String topic : List.of(TOPICS.decisions(), TOPICS.outcomes())) {
      for (int p = 0; p < PARTITIONS; p++) {
        partitions.add(new PartitionInfo(topic, p, Node.noNode(), new Node[0], new Node[0]));
      }
    }
    return partitions;
  }

  private KafkaDecisionLog open(int queuedBytes) {
    return new KafkaDecisionLog(producer, this::consumer, TOPICS, queuedBytes);
  }

  private KafkaDecisionLog open() {
    return open(1 << 20);
  }

  /** Reads what the producer has sent, a few messages at a time. */
  private Consumer<byte[], byte[]> consumer() {
    List<ProducerRecord<byte[], byte[]>> sent = producer.history();
    Map<TopicPartition, Long> ends = new HashMap<>();
    MockConsumer<byte[], byte[]> consumer =
        new MockConsumer<>("earliest") {
          @Override
          public synchronized void assign(Collection<TopicPartition> assigned) {
            super.assign(assigned);
            Map<TopicPartition, Long> next = new HashMap<>();
            for (ProducerRecord<byte[], byte[]> one : sent) {
              TopicPartition partition = new TopicPartition(one.topic(), one.partition());
              long offset = next.merge(partition, 1L, Long::sum) - 1;
              if (assigned.contains(partition)) {
                addRecord(
                    new ConsumerRecord<>(
                        one.topic(), one.partition(), offset, one.key(), one.value()));
              }
            }
          }
        };
    Map<TopicPartition, Long> beginnings = new HashMap<>();
    for (PartitionInfo info : partitions()) {
      TopicPartition partition = new TopicPartition(info.topic(), info.partition());
      beginnings.put(partition, 0L);
      ends.put(partition, 0L);
    }
    sent.forEach(
        one -> ends.merge(new TopicPartition(one.topic(), one.partition()), 1L, Long::sum));
    consumer.updateBeginningOffsets(beginnings);
    consumer.updateEndOffsets(ends);
    for (String topic : List.of(TOPICS.decisions(), TOPICS.outcomes())) {
      consumer.updatePartitions(
          topic, partitions().stream().filter(p -> p.topic().equals(topic)).toList());
    }
    consumer.setMaxPollRecords(7);
    if (readingFails != null) {
      consumer.setPollException(new KafkaException(readingFails));
    }
    return consumer;
  }

  private static List<LoggedDecision> all(DecisionLog log) {
    List<LoggedDecision> all = new ArrayList<>();
    log.read(Long.MIN_VALUE, Long.MAX_VALUE, all::add);
    return all;
  }

  private static Decision decision(String id, @Nullable String user, long time) {
    return SqliteDecisionLogTest.decision(id, user, time);
  }

  @Test
  void aFutureCompletesWhenTheBrokerHasAcknowledgedAndNotBefore() throws Exception {
    producer = producer(false);
    try (KafkaDecisionLog log = open()) {
      CompletableFuture<Void> first = log.record(decision("d", "u", 1));
      CompletableFuture<Void> second = log.record(Outcome.of("d", "i", EventType.CLICK, 2));
      CompletableFuture<Void> third = log.record(Outcome.of("d", "j", EventType.CLICK, 2));
      assertThat(producer.history()).hasSize(3);
      assertThat(first).isNotDone();
      producer.completeNext();
      first.get(30, TimeUnit.SECONDS);
      assertThat(second).isNotDone();
      producer.errorNext(new TimeoutException("no replica"));
      assertThatThrownBy(second::join)
          .isInstanceOf(CompletionException.class)
          .cause()
          .isInstanceOf(SextantException.class)
          .hasMessageContaining("topic 'outcomes' has not acknowledged")
          .hasMessageContaining("no replica");
      assertThat(third).isNotDone();
      producer.completeNext();
      third.get(30, TimeUnit.SECONDS);
    }
    assertThat(producer.closed()).isTrue();
  }

  @Test
  void memoryIsBoundedAndFreedByAcknowledgements() throws Exception {
    producer = producer(false);
    try (KafkaDecisionLog log = open(2000)) {
      List<CompletableFuture<Void>> waiting = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        Outcome outcome = Outcome.of("d" + i, "i", EventType.CLICK, 1);
        try {
          waiting.add(log.record(outcome));
        } catch (OverloadedException e) {
          assertThat(e).hasMessageContaining("topic 'outcomes' cannot keep up: 2000 bytes");
        }
      }
      assertThat(waiting).hasSizeBetween(3, 7);
      assertThat(producer.history()).hasSameSizeAs(waiting);
      // What fails gives its room back as well.
      producer.errorNext(new TimeoutException("slow"));
      while (producer.completeNext()) {
        // The rest.
      }
      CompletableFuture.allOf(waiting.subList(1, waiting.size()).toArray(CompletableFuture[]::new))
          .get(30, TimeUnit.SECONDS);
      for (int i = 0; i < waiting.size(); i++) {
        log.record(Outcome.of("e" + i, "i", EventType.CLICK, 1));
      }
      assertThatThrownBy(() -> log.record(decision("x".repeat(900), "u", 1)))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("larger than all that may wait");
      while (producer.completeNext()) {
        // Closing would wait for them.
      }
    }
    producer = producer(true);
    producer.sendException = new KafkaException("no serializer");
    try (KafkaDecisionLog log = open(2000)) {
      for (int i = 0; i < 20; i++) {
        assertThatThrownBy(() -> log.record(Outcome.of("d", "i", EventType.CLICK, 1)))
            .isInstanceOf(SextantException.class)
            .isNotInstanceOf(OverloadedException.class)
            .hasMessageContaining("no serializer");
      }
      producer.sendException = null;
      log.record(Outcome.of("d", "i", EventType.CLICK, 1)).get(30, TimeUnit.SECONDS);
    }
    KafkaDecisionLog closed = open();
    closed.close();
    closed.close();
    assertThatThrownBy(() -> closed.record(decision("d", "u", 1)))
        .isInstanceOf(SextantException.class);
  }

  @Test
  void outcomesJoinLateTwiceAndBeforeTheirDecision() {
    try (KafkaDecisionLog log = open()) {
      Outcome click = Outcome.of("d", "item", EventType.CLICK, 20);
      Outcome bought = new Outcome("d", "item", EventType.PURCHASE, 9.9, 10, "order 1");
      Outcome again = new Outcome("d", "item", EventType.PURCHASE, 8.8, 30, "order 2");
      for (Outcome outcome : List.of(click, bought, click, again, bought)) {
        log.record(outcome).join();
      }
      assertThat(log.orphans()).isEqualTo(3);
      assertThat(all(log)).isEmpty();
      log.record(decision("later", "v", 99)).join();
      log.record(decision("d", "u", 15)).join();
      log.record(decision("d", "u", 15)).join();
      log.record(decision("visitor", null, -5)).join();
      assertThat(log.orphans()).isZero();
      List<LoggedDecision> all = all(log);
      assertThat(all).extracting(d -> d.decision().id()).containsExactly("visitor", "d", "later");
      SqliteDecisionLogTest.assertSame(all.get(1).decision(), decision("d", "u", 15));
      SqliteDecisionLogTest.assertSame(all.get(0).decision(), decision("visitor", null, -5));
      assertThat(all.get(1).outcomes()).containsExactly(bought, click, again);
      List<String> some = new ArrayList<>();
      log.read(15, 99, logged -> some.add(logged.decision().id()));
      assertThat(some).containsExactly("d");
    }
  }

  /** The same calls in another order at random, to this log and to the one in SQLite. */
  @Test
  void readsAsTheLogInSqliteDoes(@TempDir Path folder) {
    for (int seed = 0; seed < 5; seed++) {
      producer = producer(true);
      Random random = new Random(seed);
      try (DecisionLog kafka = open();
          DecisionLog sqlite = SqliteDecisionLog.open(folder.resolve("log" + seed))) {
        for (int step = 0; step < 300; step++) {
          String id = "d" + random.nextInt(60);
          int user = Math.floorMod(id.hashCode(), 7);
          Decision decision = decision(id, user == 0 ? null : "u" + user, id.hashCode() % 50);
          Outcome outcome =
              new Outcome(
                  id,
                  "i" + random.nextInt(3),
                  random.nextBoolean() ? EventType.CLICK : EventType.RATING,
                  3,
                  id.hashCode() % 9,
                  "");
          boolean decides = random.nextInt(3) == 0;
          int what = random.nextInt(60);
          long before = random.nextInt(50) - 40;
          for (DecisionLog log : List.of(kafka, sqlite)) {
            if (decides) {
              log.record(decision).join();
            } else {
              log.record(outcome).join();
            }
          }
          if (what == 0) {
            assertThat(kafka.forget("u" + user)).isEqualTo(sqlite.forget("u" + user));
          } else if (what == 1) {
            assertThat(kafka.expire(before)).isEqualTo(sqlite.expire(before));
          }
        }
        assertThat(kafka.orphans()).isEqualTo(sqlite.orphans());
        List<LoggedDecision> ours = all(kafka);
        Map<String, LoggedDecision> theirs = new HashMap<>();
        all(sqlite).forEach(d -> theirs.put(d.decision().id(), d));
        assertThat(ours).as("seed %d", seed).hasSize(theirs.size()).isNotEmpty();
        assertThat(ours)
            .isSortedAccordingTo(Comparator.comparingLong(d -> d.decision().timeMillis()));
        for (LoggedDecision one : ours) {
          assertThat(theirs).containsKey(one.decision().id());
          LoggedDecision other = Objects.requireNonNull(theirs.get(one.decision().id()));
          SqliteDecisionLogTest.assertSame(one.decision(), other.decision());
          assertThat(one.outcomes()).isEqualTo(other.outcomes());
        }
      }
    }
  }

  @Test
  void aPersonIsForgottenByTombstonesWhereTheMessagesAre() {
    try (KafkaDecisionLog log = open()) {
      for (int i = 0; i < 40; i++) {
        log.record(decision("d" + i, "u" + i % 2, i)).join();
        log.record(Outcome.of("d" + i, "i", EventType.CLICK, i)).join();
      }
      int before = producer.history().size();
      Map<ByteBuffer, String> places = new HashMap<>();
      producer.history().forEach(m -> places.put(ByteBuffer.wrap(m.key()), place(m)));
      long ofOne =
          producer.history().stream()
              .filter(m -> m.topic().equals("decisions"))
              .filter(m -> new String(m.key(), StandardCharsets.UTF_8).contains("u1"))
              .map(ProducerRecord::partition)
              .distinct()
              .count();
      assertThat(ofOne).isEqualTo(1);
      assertThat(log.forget("u1")).isEqualTo(new DecisionLog.Removed(20, 20));
      List<ProducerRecord<byte[], byte[]>> tombs =
          producer.history().subList(before, producer.history().size());
      assertThat(tombs).hasSize(40).allMatch(m -> m.value() == null);
      assertThat(tombs).allMatch(m -> place(m).equals(places.get(ByteBuffer.wrap(m.key()))));
      // Should it fail half-way, a repetition finds the outcomes by their decisions.
      assertThat(tombs.subList(0, 20)).allMatch(m -> m.topic().equals("outcomes"));
      assertThat(all(log)).hasSize(20).allMatch(d -> "u0".equals(d.decision().userId()));
      assertThat(all(log)).allMatch(d -> d.outcomes().size() == 1);
      assertThat(log.orphans()).isZero();
      assertThat(log.forget("u1")).isEqualTo(new DecisionLog.Removed(0, 0));
      producer.sendException = new KafkaException("gone");
      assertThatThrownBy(() -> log.forget("u0"))
          .isInstanceOf(SextantException.class)
          .hasMessageContaining("not all is removed from topic 'outcomes', repeat it: gone");
    }
  }

  private static String place(ProducerRecord<byte[], byte[]> message) {
    return message.topic() + message.partition();
  }

  @Test
  void whatIsNoMessageOfALogIsRefused() {
    try (KafkaDecisionLog log = open()) {
      log.record(decision("d", "u", 1)).join();
      producer.send(new ProducerRecord<>("decisions", 1, new byte[] {1}, new byte[] {9, 9}));
      assertThatThrownBy(() -> all(log))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("of decisions-1 is no message of a decision log: it has format 9");
      producer.clear();
      readingFails = new IllegalStateException("unreachable");
      log.record(decision("d", "u", 1)).join();
      assertThatThrownBy(() -> all(log))
          .isInstanceOf(SextantException.class)
          .hasMessageContaining("cannot be read")
          .hasMessageContaining("unreachable");
    }
    assertThatThrownBy(() -> new KafkaDecisionLog.Topics("same", "same"))
        .hasMessageContaining("need a topic each");
  }

  @Test
  void damagedMessagesAreRefusedWhateverIsWrong() {
    Random random = new Random(4);
    byte[] decision = DecisionMessages.value(decision("d", "u", 1));
    byte[] outcome = DecisionMessages.value(Outcome.of("d", "i", EventType.CLICK, 1));
    int refused = 0;
    for (int round = 0; round < 2000; round++) {
      byte[] whole = round % 2 == 0 ? decision : outcome;
      byte[] damaged = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        if (round % 2 == 0) {
          DecisionMessages.decision(damaged, "here");
        } else {
          DecisionMessages.outcome(damaged, "here");
        }
      } catch (InvalidInputException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(1500);
  }
}
