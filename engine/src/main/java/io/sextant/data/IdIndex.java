package io.sextant.data;

import io.sextant.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A bijection between external ids (any non-empty string) and the dense ints 0 .. size-1, in the
 * order in which the ids were added.
 *
 * <p>All ids lie in one array of UTF-8 bytes behind an open-addressing table of ints, so an id
 * costs its bytes plus about 12: a million ids of eight characters take 20 MB, an eighth of what a
 * {@code HashMap<String, Integer>} takes. The ids of one index may have 2 GiB together.
 *
 * <p>Both directions are O(length of the id). Thread safety: immutable.
 */
public final class IdIndex {

  // Salted per process, so that nobody can prepare ids that all fall into one chain of the table.
  private static final long SALT = ThreadLocalRandom.current().nextLong() | 1L;

  private static final IdIndex EMPTY = new Builder().build();

  private final byte[] bytes;
  private final int[] offsets;
  private final int[] slots;
  private final int size;
  private volatile @Nullable String contentHash;

  private IdIndex(byte[] bytes, int[] offsets, int[] slots, int size) {
    this.bytes = bytes;
    this.offsets = offsets;
    this.slots = slots;
    this.size = size;
  }

  /** An index without ids. */
  public static IdIndex empty() {
    return EMPTY;
  }

  /**
   * The index in which {@code ids.get(i)} has the number i.
   *
   * @throws InvalidInputException if an id is empty, not valid Unicode, or there twice
   */
  public static IdIndex of(List<String> ids) {
    Builder builder = new Builder();
    for (String id : ids) {
      int expected = builder.size();
      int given = builder.add(id);
      if (given != expected) {
        throw new InvalidInputException(
            "id '%s' is in the list twice, at %d and at %d: every id must be there once"
                .formatted(id, given, expected));
      }
    }
    return builder.build();
  }

  /** A builder without ids. */
  public static Builder builder() {
    return new Builder();
  }

  /** How many ids there are. */
  public int size() {
    return size;
  }

  /** The number of an id, or -1 if it is unknown. */
  public int indexOf(String id) {
    if (size == 0 || !isEncodable(id)) {
      return -1;
    }
    byte[] key = id.getBytes(StandardCharsets.UTF_8);
    return slots[slotOf(key, slots, bytes, offsets)] - 1;
  }

  /** Whether the id is known. */
  public boolean contains(String id) {
    return indexOf(id) >= 0;
  }

  /**
   * The id with a number.
   *
   * @throws IndexOutOfBoundsException if the number is not in 0 .. size-1
   */
  public String idOf(int index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("index " + index + " of an IdIndex of " + size + " ids");
    }
    return new String(
        bytes, offsets[index], offsets[index + 1] - offsets[index], StandardCharsets.UTF_8);
  }

  /**
   * SHA-256 over the ids in order, each with its length, in hex: two indexes have the same hash if
   * and only if they give the same ids the same numbers. Computed once, on first use.
   */
  public String contentHash() {
    String hash = contentHash;
    if (hash == null) {
      MessageDigest digest = sha256();
      ByteBuffer length = ByteBuffer.allocate(Integer.BYTES);
      for (int i = 0; i < size; i++) {
        length.clear().putInt(offsets[i + 1] - offsets[i]);
        digest.update(length.array());
        digest.update(bytes, offsets[i], offsets[i + 1] - offsets[i]);
      }
      hash = HexFormat.of().formatHex(digest.digest());
      contentHash = hash;
    }
    return hash;
  }

  /** Whether the other index gives the same ids the same numbers. */
  @Override
  public boolean equals(@Nullable Object other) {
    if (this == other) {
      return true;
    }
    return other instanceof IdIndex that
        && size == that.size
        && Arrays.equals(offsets, that.offsets)
        && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(bytes) + Arrays.hashCode(offsets);
  }

  @Override
  public String toString() {
    return "IdIndex[" + size + " ids]";
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** Whether the text is valid Unicode: a lone surrogate would be encoded as '?'. */
  static boolean isEncodable(String id) {
    for (int i = 0; i < id.length(); i++) {
      char c = id.charAt(i);
      if (Character.isSurrogate(c)) {
        if (!Character.isHighSurrogate(c)
            || i + 1 == id.length()
            || !Character.isLowSurrogate(id.charAt(i + 1))) {
          return false;
        }
        i++;
      }
    }
    return true;
  }

  /** The slot that holds the key, or the free one where it belongs. */
  private static int slotOf(byte[] key, int[] slots, byte[] bytes, int[] offsets) {
    int mask = slots.length - 1;
    int slot = hash(key, 0, key.length) & mask;
    while (true) {
      int entry = slots[slot] - 1;
      if (entry < 0
          || Arrays.equals(key, 0, key.length, bytes, offsets[entry], offsets[entry + 1])) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
  }

  private static int hash(byte[] bytes, int from, int to) {
    long h = SALT;
    for (int i = from; i < to; i++) {
      h = (h ^ bytes[i]) * 0x9E3779B97F4A7C15L;
      h ^= h >>> 29;
    }
    h *= 0xBF58476D1CE4E5B9L;
    return (int) (h ^ (h >>> 32));
  }

  /** Collects ids and numbers them in the order of their first appearance. Not thread-safe. */
  public static final class Builder {

    private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

    private byte[] bytes = new byte[256];
    private int[] offsets = new int[17];
    private int[] slots = new int[32];
    private int size;

    private Builder() {}

    /**
     * The number of the id, which is given a new one if it is not there yet.
     *
     * @throws InvalidInputException if the id is empty or not valid Unicode, or if all ids together
     *     take more than 2 GiB
     */
    public int add(String id) {
      if (id.isEmpty()) {
        throw new InvalidInputException("an id must not be empty");
      }
      if (!isEncodable(id)) {
        throw new InvalidInputException(
            "the id '" + id + "' holds half of a surrogate pair, which is not valid Unicode");
      }
      byte[] key = id.getBytes(StandardCharsets.UTF_8);
      int slot = slotOf(key, slots, bytes, offsets);
      if (slots[slot] != 0) {
        return slots[slot] - 1;
      }
      append(key);
      slots[slot] = size;
      if (size > slots.length / 2 && slots.length < 1 << 30) {
        rehash(slots.length * 2);
      }
      return size - 1;
    }

    /** The number of an id, or -1 if it was not added. */
    public int indexOf(String id) {
      return isEncodable(id)
          ? slots[slotOf(id.getBytes(StandardCharsets.UTF_8), slots, bytes, offsets)] - 1
          : -1;
    }

    /** The id with a number. */
    public String idOf(int index) {
      if (index < 0 || index >= size) {
        throw new IndexOutOfBoundsException("index " + index + " of " + size + " ids");
      }
      return new String(
          bytes, offsets[index], offsets[index + 1] - offsets[index], StandardCharsets.UTF_8);
    }

    /** How many ids there are so far. */
    public int size() {
      return size;
    }

    /** The index of what was added so far; the builder can go on being used. */
    public IdIndex build() {
      return new IdIndex(
          Arrays.copyOf(bytes, offsets[size]),
          Arrays.copyOf(offsets, size + 1),
          slots.clone(),
          size);
    }

    private void append(byte[] key) {
      long needed = (long) offsets[size] + key.length;
      if (needed > MAX_ARRAY || size >= MAX_ARRAY - 1) {
        throw new InvalidInputException(
            "the ids take more than 2 GiB together (after %d ids): use shorter ids"
                .formatted(size));
      }
      if (needed > bytes.length) {
        bytes =
            Arrays.copyOf(
                bytes, (int) Math.min(MAX_ARRAY, Math.max(needed, bytes.length * 3L / 2)));
      }
      if (size + 2 > offsets.length) {
        offsets = Arrays.copyOf(offsets, (int) Math.min(MAX_ARRAY, offsets.length * 3L / 2));
      }
      System.arraycopy(key, 0, bytes, offsets[size], key.length);
      size++;
      offsets[size] = (int) needed;
    }

    private void rehash(int length) {
      int[] larger = new int[length];
      int mask = length - 1;
      for (int i = 0; i < size; i++) {
        int slot = hash(bytes, offsets[i], offsets[i + 1]) & mask;
        while (larger[slot] != 0) {
          slot = (slot + 1) & mask;
        }
        larger[slot] = i + 1;
      }
      slots = larger;
    }
  }
}
