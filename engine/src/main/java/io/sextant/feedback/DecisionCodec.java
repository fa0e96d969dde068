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

/** What of a decision has no column of its own, as bytes. The first byte is the format. */
final class DecisionCodec {

  private static final int FORMAT = 1;

  private DecisionCodec() {}

  static byte[] encode(Decision decision) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(FORMAT);
      out.writeLong(decision.seed());
      write(out, decision.inputs());
      write(out, decision.gates());
      out.writeInt(decision.candidates().size());
      for (Decision.Candidate candidate : decision.candidates()) {
        byte[] id = candidate.itemId().getBytes(StandardCharsets.UTF_8);
        out.writeInt(id.length);
        out.write(id);
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
      if (format != FORMAT) {
        throw new InvalidInputException(
            "decision '%s' has format %d, this Sextant reads %d: read it with the one that wrote it"
                .formatted(id, format, FORMAT));
      }
      long seed = in.readLong();
      float[] inputs = floats(in);
      float[] gates = floats(in);
      int numCandidates = count(in, 16);
      List<Decision.Candidate> candidates = new ArrayList<>(numCandidates);
      for (int i = 0; i < numCandidates; i++) {
        String itemId = new String(in.readNBytes(count(in, 1)), StandardCharsets.UTF_8);
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
          timeMillis,
          seed,
          inputs,
          gates,
          candidates,
          slate);
    } catch (IOException e) {
      throw new InvalidInputException("decision '" + id + "' is damaged: " + e.getMessage(), e);
    }
  }

  private static void write(DataOutputStream out, float[] values) throws IOException {
    out.writeInt(values.length);
    for (float value : values) {
      out.writeFloat(value);
    }
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
    int count = in.readInt();
    if (count < 0 || (long) count * bytesOfOne > in.available()) {
      throw new IOException("it says that " + count + " things follow");
    }
    return count;
  }
}
