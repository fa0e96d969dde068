package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What of a decision has no column of its own, as bytes. The first byte is the format: 1 knew
 * neither the incumbent nor the history, and is still read.
 */
final class DecisionCodec {

  private static final int FORMAT = 2;
  private static final int WITHOUT_HISTORY = 1;

  private DecisionCodec() {}

  static byte[] encode(Decision decision) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(FORMAT);
      out.writeLong(decision.seed());
      write(out, decision.baselineVersion());
      write(out, decision.history());
      write(out, decision.inputs());
      write(out, decision.gates());
      out.writeInt(decision.candidates().size());
      for (Decision.Candidate candidate : decision.candidates()) {
        write(out, candidate.itemId());
        write(out, candidate.scores());
        out.writeDouble(candidate.propensity());
      }
      out.writeInt(decision.slate().length);
      for (int index : decision.slate()) {
        out.writeInt(index);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("memory can be written", e);
    }
    return bytes.toByteArray();
  }

  /**
   * Restores a decision.
   *
   * @throws InvalidInputException if the bytes are of another format or damaged
   */
  static Decision decode(
      String id, String userId, String policyVersion, long timeMillis, byte[] bytes) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int format = in.readByte();
      if (format != FORMAT && format != WITHOUT_HISTORY) {
        throw new InvalidInputException(
            "decision '%s' has format %d, this Sextant reads %d and %d: read it with the one that wrote it"
                .formatted(id, format, WITHOUT_HISTORY, FORMAT));
      }
      long seed = in.readLong();
      String baseline = format == FORMAT ? optionalText(in) : null;
      Decision.History history = format == FORMAT ? history(in) : null;
      float[] inputs = floats(in);
      float[] gates = floats(in);
      int numCandidates = count(in, 16);
      List<Decision.Candidate> candidates = new ArrayList<>(numCandidates);
      for (int i = 0; i < numCandidates; i++) {
        String itemId = text(in, in.readInt());
        candidates.add(new Decision.Candidate(itemId, floats(in), in.readDouble()));
      }
      int[] slate = new int[count(in, 4)];
      for (int i = 0; i < slate.length; i++) {
        slate[i] = in.readInt();
      }
      return new Decision(
          id,
          userId.isEmpty() ? null : userId,
          policyVersion,
          baseline,
          timeMillis,
          seed,
          history,
          inputs,
          gates,
          candidates,
          slate);
    } catch (IOException e) {
      throw new InvalidInputException("decision '" + id + "' is damaged: " + e.getMessage(), e);
    }
  }

  /** Its length and its bytes; length -1 for none. */
  private static void write(DataOutputStream out, @Nullable String text) throws IOException {
    if (text == null) {
      out.writeInt(-1);
      return;
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  /** Its length, the number of items that are kept, and these; length -1 for none. */
  private static void write(DataOutputStream out, Decision.@Nullable History history)
      throws IOException {
    if (history == null) {
      out.writeInt(-1);
      return;
    }
    out.writeInt(history.length());
    out.writeInt(history.items().size());
    for (String item : history.items()) {
      write(out, item);
    }
  }

  private static void write(DataOutputStream out, float[] values) throws IOException {
    out.writeInt(values.length);
    for (float value : values) {
      out.writeFloat(value);
    }
  }

  private static @Nullable String optionalText(DataInputStream in) throws IOException {
    int length = in.readInt();
    return length == -1 ? null : text(in, length);
  }

  private static String text(DataInputStream in, int length) throws IOException {
    return new String(in.readNBytes(checked(in, length, 1)), StandardCharsets.UTF_8);
  }

  private static Decision.@Nullable History history(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length == -1) {
      return null;
    }
    int kept = count(in, 4);
    List<String> items = new ArrayList<>(kept);
    for (int i = 0; i < kept; i++) {
      items.add(text(in, in.readInt()));
    }
    return new Decision.History(items, length);
  }

  private static float[] floats(DataInputStream in) throws IOException {
    float[] values = new float[count(in, Float.BYTES)];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readFloat();
    }
    return values;
  }

  /** A number of things that the rest of the bytes can hold. */
  private static int count(DataInputStream in, int bytesOfOne) throws IOException {
    return checked(in, in.readInt(), bytesOfOne);
  }

  private static int checked(DataInputStream in, int count, int bytesOfOne) throws IOException {
    if (count < 0 || (long) count * bytesOfOne > in.available()) {
      throw new IOException("it says that " + count + " things follow");
    }
    return count;
  }
}
