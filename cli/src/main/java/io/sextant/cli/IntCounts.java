package io.sextant.cli;

import java.util.Arrays;

/**
 * Counts by small non-negative numbers: a hash table with open addressing that takes 8 bytes an
 * entry. A count that went back to 0 keeps its place.
 */
final class IntCounts {

  private static final int FREE = -1;

  private int[] keys = new int[8];
  private int[] counts = new int[8];
  private int used;
  private long total;

  IntCounts() {
    Arrays.fill(keys, FREE);
  }

  void add(int key, int change) {
    int slot = slot(key);
    if (keys[slot] == FREE) {
      if (2 * (used + 1) > keys.length) {
        grow();
        slot = slot(key);
      }
      keys[slot] = key;
      used++;
    }
    counts[slot] += change;
    total += change;
  }

  int get(int key) {
    return counts[slot(key)];
  }

  /** The sum of all counts. */
  long total() {
    return total;
  }

  /** Visits every key whose count is not 0, in no particular order. */
  void forEach(Visitor visitor) {
    for (int slot = 0; slot < keys.length; slot++) {
      if (counts[slot] != 0) {
        visitor.visit(keys[slot], counts[slot]);
      }
    }
  }

  interface Visitor {
    void visit(int key, int count);
  }

  /** Where the key is, or the free place (count 0) where it would go. */
  private int slot(int key) {
    int hash = key * 0x9E3779B9;
    int slot = (hash ^ (hash >>> 15)) & (keys.length - 1);
    while (keys[slot] != FREE && keys[slot] != key) {
      slot = (slot + 1) & (keys.length - 1);
    }
    return slot;
  }

  private void grow() {
    int[] oldKeys = keys;
    int[] oldCounts = counts;
    keys = new int[2 * oldKeys.length];
    counts = new int[keys.length];
    Arrays.fill(keys, FREE);
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != FREE) {
        int slot = slot(oldKeys[i]);
        keys[slot] = oldKeys[i];
        counts[slot] = oldCounts[i];
      }
    }
  }
}
