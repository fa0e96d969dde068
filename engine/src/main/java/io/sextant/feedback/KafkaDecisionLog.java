package io.sextant.feedback;

import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.SextantException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * A decision log in two topics of Kafka ({@code org.apache.kafka:kafka-clients}, which whoever uses
 * this class adds to the class path), one of decisions and one of outcomes.
 *
 * <p>A message is acknowledged when all replicas in sync have it ({@code acks=all}, by an
 * idempotent producer). Its key is that of what it holds, a user and a decision, or a decision, an
 * item, a type and a key: of messages of one key the last counts, so that whoever did not hear may
 * repeat. The decisions of a user are in one partition, as are the outcomes of a decision.
 *
 * <p><b>Removing.</b> Both topics must be compacted ({@code cleanup.policy=compact}, or {@code
 * compact,delete} where Kafka is to expire by itself): {@link #open} refuses others. What is
 * removed gets a tombstone; no reader of this class sees it from then on, and the brokers erase it
 * when they next compact its segment. When that is, is theirs: {@code max.compaction.lag.ms}, and
 * {@code segment.ms} for the last segment. Set both to what the law allows. A user's outcomes are
 * found by the user's decisions: one that has come before its decision stays, as an orphan without
 * a name, until it expires.
 *
 * <p><b>Reading.</b> Topics have no index: every reading goes through all of both, and holds the
 * decisions of the times that are asked for and their outcomes in memory. To work on a long log,
 * copy it into a {@link SqliteDecisionLog}.
 *
 * <p>Thread safety: safe.
 */
public final class KafkaDecisionLog implements DecisionLog {

  private static final int MAX_QUEUED_BYTES = 64 << 20;
  private static final int OVERHEAD_BYTES = 256;
  private static final int MAX_TOMBSTONES = 1000;
  private static final Duration RETRY_AFTER = Duration.ofMillis(50);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration ASK_AGAIN = Duration.ofMillis(20);

  /** The order in which {@link SqliteDecisionLog} gives outcomes. */
  private static final Comparator<Outcome> IN_ORDER =
      Comparator.comparingLong(Outcome::timeMillis)
          .thenComparing(Outcome::itemId)
          .thenComparing(outcome -> outcome.type().name())
          .thenComparing(Outcome::key);

  private final Producer<byte[], byte[]> producer;
  private final KafkaScan.Source source;
  private final Topics topics;
  private final Semaphore room;
  private final int capacity;
  private final int decisionPartitions;
  private final int outcomePartitions;
  private final Acknowledgements acknowledgements = new Acknowledgements();

  /**
   * The names of the topics, which must be different.
   *
   * @param decisions compacted
   * @param outcomes compacted
   */
  public record Topics(String decisions, String outcomes) {

    public Topics {
      if (decisions.equals(outcomes) || decisions.isEmpty() || outcomes.isEmpty()) {
        throw new InvalidInputException(
            "decisions and outcomes need a topic each but had '%s' and '%s'"
                .formatted(decisions, outcomes));
      }
    }
  }

  KafkaDecisionLog(
      Producer<byte[], byte[]> producer, KafkaScan.Source source, Topics topics, int queuedBytes) {
    this.producer = producer;
    this.source = source;
    this.topics = topics;
    capacity = queuedBytes;
    room = new Semaphore(queuedBytes);
    decisionPartitions = partitions(producer, topics.decisions());
    outcomePartitions = partitions(producer, topics.outcomes());
  }

  /** The same with 64 MiB for what waits to be acknowledged. */
  public static KafkaDecisionLog open(Map<String, ?> connection, Topics topics) {
    return open(connection, topics, MAX_QUEUED_BYTES);
  }

  /**
   * Opens a log in topics that are there.
   *
   * @param connection where the brokers are ({@code bootstrap.servers}) and how to speak with them;
   *     what a log depends on, as {@code acks}, is set by this class whatever is said here
   * @param queuedBytes of memory for what waits to be acknowledged
   * @throws InvalidInputException if a topic is not there or not compacted, or the connection is
   *     none
   * @throws SextantException if the brokers do not answer
   */
  public static KafkaDecisionLog open(Map<String, ?> connection, Topics topics, int queuedBytes) {
    if (queuedBytes < 1) {
      throw new InvalidInputException("queuedBytes must be >= 1 but was " + queuedBytes);
    }
    Producer<byte[], byte[]> producer = null;
    try {
      checkTopics(connection, topics);
      Map<String, Object> reading = reading(connection);
      // The room for what waits is counted here, so the producer's own never runs out before.
      producer = new KafkaProducer<>(writing(connection, 2L * queuedBytes + (32 << 20)));
      return new KafkaDecisionLog(
          producer, () -> new KafkaConsumer<>(reading), topics, queuedBytes);
    } catch (KafkaException e) {
      if (producer != null) {
        producer.close(Duration.ZERO);
      }
      throw new SextantException("no decision log in Kafka: " + told(e), e);
    }
  }

  private static void checkTopics(Map<String, ?> connection, Topics topics) {
    try (Admin admin = Admin.create(new HashMap<>(connection))) {
      for (String topic : List.of(topics.decisions(), topics.outcomes())) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Config config =
            Objects.requireNonNull(
                admin.describeConfigs(Set.of(resource)).all().get().get(resource));
        String policy = config.get(TopicConfig.CLEANUP_POLICY_CONFIG).value();
        if (!policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
          throw new InvalidInputException(
              "topic '%s' is not compacted (cleanup.policy=%s), so nobody could be forgotten: set cleanup.policy=compact"
                  .formatted(topic, policy));
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException missing) {
        throw new InvalidInputException(
            "topics '%s' and '%s' must be there: create them with cleanup.policy=compact"
                .formatted(topics.decisions(), topics.outcomes()),
            missing);
      }
      throw new SextantException("no decision log in Kafka: " + told(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SextantException("interrupted while opening a decision log in Kafka", e);
    }
  }

  private static Map<String, Object> writing(Map<String, ?> connection, long memory) {
    Map<String, Object> config = new HashMap<>(connection);
    config.put(ProducerConfig.ACKS_CONFIG, "all");
    config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    // What cannot be queued is refused at once, and nobody waits for what is known of the topics.
    config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 0L);
    config.put(ProducerConfig.METADATA_MAX_IDLE_CONFIG, Duration.ofDays(3650).toMillis());
    config.put(ProducerConfig.BUFFER_MEMORY_CONFIG, memory);
    config.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    config.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    return config;
  }

  private static Map<String, Object> reading(Map<String, ?> connection) {
    Map<String, Object> config = new HashMap<>(connection);
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    return config;
  }

  /** How many partitions a topic has; the producer, which never waits, learns it in time. */
  private static int partitions(Producer<byte[], byte[]> producer, String topic) {
    long start = System.nanoTime();
    while (true) {
      try {
        return producer.partitionsFor(topic).size();
      } catch (TimeoutException e) {
        if (System.nanoTime() - start > PATIENCE.toNanos()) {
          throw e;
        }
        LockSupport.parkNanos(ASK_AGAIN.toNanos());
      }
    }
  }

  @Override
  public CompletableFuture<Void> record(Decision decision) {
    String user = DecisionMessages.userOf(decision);
    return send(
        new ProducerRecord<>(
            topics.decisions(),
            partition(user.isEmpty() ? decision.id() : user, decisionPartitions),
            DecisionMessages.key(decision),
            DecisionMessages.value(decision)));
  }

  @Override
  public CompletableFuture<Void> record(Outcome outcome) {
    return send(
        new ProducerRecord<>(
            topics.outcomes(),
            partition(outcome.decisionId(), outcomePartitions),
            DecisionMessages.key(outcome),
            DecisionMessages.value(outcome)));
  }

  /** The partition that Kafka itself would choose for this key. */
  private static int partition(String key, int partitions) {
    return Utils.toPositive(Utils.murmur2(key.getBytes(StandardCharsets.UTF_8))) % partitions;
  }

  private CompletableFuture<Void> send(ProducerRecord<byte[], byte[]> message) {
    int bytes = message.key().length + message.value().length + OVERHEAD_BYTES;
    if (bytes > capacity) {
      throw new InvalidInputException(
          "a message of %d bytes is larger than all that may wait to be acknowledged, %d bytes: log fewer candidates"
              .formatted(bytes, capacity));
    }
    if (!room.tryAcquire(bytes)) {
      throw new OverloadedException(
          "topic '%s' cannot keep up: %d bytes wait to be acknowledged"
              .formatted(message.topic(), capacity),
          RETRY_AFTER);
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    try {
      producer.send(
          message,
          (metadata, failure) -> {
            room.release(bytes);
            // What follows a future is the callers' code: it must not hold up the producer.
            acknowledgements.execute(() -> complete(done, message.topic(), failure));
          });
    } catch (KafkaException | IllegalStateException e) {
      room.release(bytes);
      throw new SextantException(
          "topic '%s' takes nothing: %s".formatted(message.topic(), told(e)), e);
    }
    return done;
  }

  private static void complete(
      CompletableFuture<Void> done, String topic, @Nullable Exception failure) {
    if (failure == null) {
      done.complete(null);
    } else {
      done.completeExceptionally(
          new SextantException(
              "topic '%s' has not acknowledged, repeat it: %s".formatted(topic, told(failure)),
              failure));
    }
  }

  @Override
  public void read(long fromMillis, long toMillis, Consumer<LoggedDecision> consumer) {
    Map<String, Decision> decisions = new LinkedHashMap<>();
    Map<String, List<Outcome>> outcomes = new HashMap<>();
    scan(
        scan -> {
          scan.decisions(h -> h.timeMillis() >= fromMillis && h.timeMillis() < toMillis)
              .values()
              .forEach(
                  value -> {
                    Decision decision = DecisionMessages.decision(value, topics.decisions());
                    decisions.putIfAbsent(decision.id(), decision);
                  });
          Set<ByteBuffer> seen = new HashSet<>();
          scan.outcomes(outcome -> decisions.containsKey(outcome.decisionId()))
              .forEach(
                  (slot, outcome) -> {
                    // Twice only where the topic was given more partitions meanwhile.
                    if (seen.add(slot.key())) {
                      outcomes
                          .computeIfAbsent(outcome.decisionId(), id -> new ArrayList<>())
                          .add(outcome);
                    }
                  });
          return decisions.size();
        });
    decisions.values().stream()
        .sorted(Comparator.comparingLong(Decision::timeMillis))
        .forEach(
            decision ->
                consumer.accept(
                    new LoggedDecision(
                        decision,
                        outcomes.getOrDefault(decision.id(), List.of()).stream()
                            .sorted(IN_ORDER)
                            .toList())));
  }

  @Override
  public long orphans() {
    return scan(
        scan -> {
          Set<String> known = ids(scan.headers(header -> true));
          return scan.outcomes(outcome -> !known.contains(outcome.decisionId())).size();
        });
  }

  @Override
  public Removed forget(String userId) {
    Decision.checkId("the user", userId);
    return scan(
        scan -> {
          Map<KafkaScan.Slot, DecisionMessages.Header> gone =
              scan.headers(header -> header.userId().equals(userId));
          Set<String> ids = ids(gone);
          return remove(gone, scan.outcomes(outcome -> ids.contains(outcome.decisionId())));
        });
  }

  @Override
  public Removed expire(long beforeMillis) {
    return scan(
        scan -> {
          Map<KafkaScan.Slot, DecisionMessages.Header> gone = scan.headers(header -> true);
          Set<String> known = ids(gone);
          gone.values().removeIf(header -> header.timeMillis() >= beforeMillis);
          Set<String> ids = ids(gone);
          return remove(
              gone,
              scan.outcomes(
                  outcome ->
                      ids.contains(outcome.decisionId())
                          || (!known.contains(outcome.decisionId())
                              && outcome.timeMillis() < beforeMillis)));
        });
  }

  private static Set<String> ids(Map<KafkaScan.Slot, DecisionMessages.Header> headers) {
    Set<String> ids = new HashSet<>();
    headers.values().forEach(header -> ids.add(header.id()));
    return ids;
  }

  private Removed remove(
      Map<KafkaScan.Slot, DecisionMessages.Header> decisions,
      Map<KafkaScan.Slot, Outcome> outcomes) {
    // Decisions last: whoever repeats what failed finds the outcomes by them.
    bury(List.copyOf(outcomes.keySet()));
    bury(List.copyOf(decisions.keySet()));
    return new Removed(ids(decisions).size(), outcomes.size());
  }

  /** Writes tombstones, so many at a time that they have room beside what is logged. */
  private void bury(List<KafkaScan.Slot> slots) {
    for (int from = 0; from < slots.size(); from += MAX_TOMBSTONES) {
      List<Future<RecordMetadata>> written = new ArrayList<>();
      try {
        for (KafkaScan.Slot slot :
            slots.subList(from, Math.min(from + MAX_TOMBSTONES, slots.size()))) {
          TopicPartition place = slot.partition();
          written.add(
              producer.send(
                  new ProducerRecord<>(place.topic(), place.partition(), slot.keyBytes(), null)));
        }
        for (Future<RecordMetadata> one : written) {
          one.get();
        }
      } catch (ExecutionException | KafkaException | IllegalStateException e) {
        throw new SextantException(
            "not all is removed from topic '%s', repeat it: %s"
                .formatted(slots.get(0).partition().topic(), told(e)),
            e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SextantException("interrupted: not all is removed, repeat it", e);
      }
    }
  }

  private <T> T scan(Function<KafkaScan, T> work) {
    try (KafkaScan scan = new KafkaScan(source, topics, PATIENCE)) {
      return work.apply(scan);
    } catch (KafkaException e) {
      throw new SextantException(
          "topics '%s' and '%s' cannot be read: %s"
              .formatted(topics.decisions(), topics.outcomes(), told(e)),
          e);
    }
  }

  private static String told(Throwable e) {
    Throwable inner = e instanceof ExecutionException ? e.getCause() : null;
    Throwable cause = inner == null ? e : inner;
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }

  @Override
  public void close() {
    // The producer calls back for all that was sent before it is closed, and closes but once.
    producer.close();
    acknowledgements.close();
  }
}
