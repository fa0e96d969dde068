package io.sextant.feedback;

import io.sextant.SextantException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What two topics held when the scan was made: all messages up to the ends that the partitions had
 * then, of each key the last one, none of which the last one is a tombstone.
 *
 * <p>Thread safety: one thread at a time.
 */
final class KafkaScan implements AutoCloseable {

  private static final Duration POLL = Duration.ofMillis(200);

  private final Consumer<byte[], byte[]> consumer;
  private final String decisionsTopic;
  private final String outcomesTopic;
  private final Duration patience;
  private final Map<TopicPartition, Long> decisionEnds;
  private final Map<TopicPartition, Long> outcomeEnds;

  /** The place of a message: what a tombstone needs to reach it. */
  record Slot(TopicPartition partition, ByteBuffer key) {

    byte[] keyBytes() {
      byte[] bytes = new byte[key.remaining()];
      key.duplicate().get(bytes);
      return bytes;
    }
  }

  /** Connects a reader of its own for each scan. */
  interface Source {
    Consumer<byte[], byte[]> connect();
  }

  /** Makes of a message what is kept of it; null for nothing. */
  private interface Keeping<T> {
    @Nullable T of(byte[] value, String where);
  }

  /**
   * A scan up to the present ends.
   *
   * @param patience how long a broker may say nothing
   */
  KafkaScan(Source source, KafkaDecisionLog.Topics topics, Duration patience) {
    consumer = source.connect();
    decisionsTopic = topics.decisions();
    outcomesTopic = topics.outcomes();
    this.patience = patience;
    try {
      decisionEnds = ends(decisionsTopic);
      // Last: outcomes of a decision that is seen are seen as far as they were there.
      outcomeEnds = ends(outcomesTopic);
    } catch (RuntimeException e) {
      consumer.close();
      throw e;
    }
  }

  private Map<TopicPartition, Long> ends(String topic) {
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic).stream()
            .map(p -> new TopicPartition(topic, p.partition()))
            .toList();
    return Map.copyOf(consumer.endOffsets(partitions));
  }

  /** Heads of decisions that are wanted. */
  Map<Slot, DecisionMessages.Header> headers(Predicate<DecisionMessages.Header> wanted) {
    return read(
        decisionEnds,
        (value, where) -> {
          DecisionMessages.Header header = DecisionMessages.header(value, where);
          return wanted.test(header) ? header : null;
        });
  }

  /** Messages of decisions whose heads are wanted. */
  Map<Slot, byte[]> decisions(Predicate<DecisionMessages.Header> wanted) {
    return read(
        decisionEnds,
        (value, where) -> wanted.test(DecisionMessages.header(value, where)) ? value : null);
  }

  /** Outcomes that are wanted. */
  Map<Slot, Outcome> outcomes(Predicate<Outcome> wanted) {
    return read(
        outcomeEnds,
        (value, where) -> {
          Outcome outcome = DecisionMessages.outcome(value, where);
          return wanted.test(outcome) ? outcome : null;
        });
  }

  private <T> Map<Slot, T> read(Map<TopicPartition, Long> ends, Keeping<T> keeping) {
    Map<Slot, T> kept = new LinkedHashMap<>();
    consumer.assign(ends.keySet());
    consumer.seekToBeginning(ends.keySet());
    Map<TopicPartition, Long> positions = new HashMap<>();
    long silent = System.nanoTime();
    for (List<TopicPartition> left = left(ends); !left.isEmpty(); left = left(ends)) {
      for (ConsumerRecord<byte[], byte[]> message : consumer.poll(POLL)) {
        TopicPartition partition = new TopicPartition(message.topic(), message.partition());
        if (message.offset() < ends.getOrDefault(partition, 0L)) {
          keep(kept, partition, message, keeping);
        }
      }
      boolean moved = false;
      for (TopicPartition partition : left) {
        long position = consumer.position(partition);
        moved |= !Long.valueOf(position).equals(positions.put(partition, position));
      }
      if (moved) {
        silent = System.nanoTime();
      } else if (System.nanoTime() - silent > patience.toNanos()) {
        throw new SextantException(
            "topics %s and %s cannot be read: nothing came from %s for %d s"
                .formatted(decisionsTopic, outcomesTopic, left, patience.toSeconds()));
      }
    }
    return kept;
  }

  private List<TopicPartition> left(Map<TopicPartition, Long> ends) {
    List<TopicPartition> left = new ArrayList<>();
    ends.forEach(
        (partition, end) -> {
          if (consumer.position(partition) < end) {
            left.add(partition);
          }
        });
    return left;
  }

  private static <T> void keep(
      Map<Slot, T> kept,
      TopicPartition partition,
      ConsumerRecord<byte[], byte[]> message,
      Keeping<T> keeping) {
    byte[] key = message.key() == null ? new byte[0] : message.key();
    Slot slot = new Slot(partition, ByteBuffer.wrap(key));
    T one =
        message.value() == null
            ? null
            : keeping.of(message.value(), "offset %d of %s".formatted(message.offset(), partition));
    if (one == null) {
      kept.remove(slot);
    } else {
      kept.put(slot, one);
    }
  }

  @Override
  public void close() {
    consumer.close();
  }
}
