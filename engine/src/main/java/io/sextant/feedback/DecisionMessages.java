package io.sextant.feedback;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Decisions and outcomes as messages of a topic. The key says which one a message is, so that a
 * later message of the same key stands in its place; the value begins with the format.
 */
final class DecisionMessages {

  private static final int FORMAT = 1;

  private DecisionMessages() {}

  /** What of a decision is known before its body is read. */
  record Header(String id, String userId, String policyVersion, long timeMillis) {}

  static byte[] key(Decision decision) {
    return bytes(
        out -> {
          text(out, userOf(decision));
          text(out, decision.id());
        });
  }

  static byte[] key(Outcome outcome) {
    return bytes(
        out -> {
          text(out, outcome.decisionId());
          text(out, outcome.itemId());
          text(out, outcome.type().name());
          text(out, outcome.key());
        });
  }

  static byte[] value(Decision decision) {
    byte[] body = DecisionCodec.encode(decision);
    return bytes(
        out -> {
          out.writeByte(FORMAT);
          text(out, decision.id());
          text(out, userOf(decision));
          text(out, decision.policyVersion());
          out.writeLong(decision.timeMillis());
          out.write(body);
        });
  }

  static byte[] value(Outcome outcome) {
    return bytes(
        out -> {
          out.writeByte(FORMAT);
          text(out, outcome.decisionId());
          text(out, outcome.itemId());
          text(out, outcome.type().name());
          out.writeDouble(outcome.value());
          out.writeLong(outcome.timeMillis());
          text(out, outcome.key());
        });
  }

  /** The head of a decision's message; {@code where} is for the error. */
  static Header header(byte[] value, String where) {
    return read(value, where, DecisionMessages::header);
  }

  static Decision decision(byte[] value, String where) {
    return read(
        value,
        where,
        in -> {
          Header head = header(in);
          return DecisionCodec.decode(
              head.id(), head.userId(), head.policyVersion(), head.timeMillis(), in.readAllBytes());
        });
  }

  static Outcome outcome(byte[] value, String where) {
    return read(
        value,
        where,
        in -> {
          checkFormat(in);
          String decision = text(in);
          String item = text(in);
          EventType type = EventType.valueOf(text(in));
          return new Outcome(decision, item, type, in.readDouble(), in.readLong(), text(in));
        });
  }

  /** Empty for a visitor without an id. */
  static String userOf(Decision decision) {
    String user = decision.userId();
    return user == null ? "" : user;
  }

  private static Header header(DataInputStream in) throws IOException {
    checkFormat(in);
    return new Header(text(in), text(in), text(in), in.readLong());
  }

  private static void checkFormat(DataInputStream in) throws IOException {
    int format = in.readByte();
    if (format != FORMAT) {
      throw new IOException("it has format " + format + ", this Sextant reads " + FORMAT);
    }
  }

  private interface Writing {
    void to(DataOutputStream out) throws IOException;
  }

  private interface Reading<T> {
    T from(DataInputStream in) throws IOException;
  }

  private static byte[] bytes(Writing writing) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      writing.to(out);
    } catch (IOException e) {
      throw new UncheckedIOException("memory can be written", e);
    }
    return bytes.toByteArray();
  }

  private static <T> T read(byte[] value, String where, Reading<T> reading) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(value))) {
      return reading.from(in);
    } catch (IOException | IllegalArgumentException e) {
      throw new InvalidInputException(
          "%s is no message of a decision log: %s; keep these topics for the log alone"
              .formatted(where, e.getMessage()),
          e);
    }
  }

  private static void text(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static String text(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new IOException("it says that " + length + " bytes follow");
    }
    return new String(in.readNBytes(length), StandardCharsets.UTF_8);
  }
}
