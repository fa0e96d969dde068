package io.sextant.serve;

import io.sextant.AttributeFilter;
import io.sextant.InvalidInputException;
import io.sextant.NewItem;
import io.sextant.data.IdIndex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The items of one model at their places: which are on, what attributes they have, and those that
 * were added.
 *
 * <p>Design. A search is told by a mask, a bit for each place, what it must not find; the mask of a
 * demand is made once and kept. Items change one at a time and often (stock), so a kept mask is not
 * made anew but a copy of it is mended at the places that have changed since; a mask that a search
 * reads is never written.
 *
 * <p>Thread safety: safe; what it does under its lock takes microseconds, and where a mask is made,
 * O(I).
 */
final class Catalogue {

  /** How many items stand for an added one. */
  private static final int KIN = 20;

  /** How many masks are kept. */
  private static final int MASKS = 128;

  /** How many changes are remembered. */
  private static final int CHANGES = 1024;

  /** Puts an item into a free slot of the model. */
  @FunctionalInterface
  interface Placing {
    /** As {@link io.sextant.meta.ServableModel#place}. */
    void place(int slot, int[] kin, float[] weights);
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final IdIndex items;
  private final int capacity;
  private final Placing placing;
  private final long[] off;
  private final Attributes attributes;
  private final List<String> addedIds = new ArrayList<>();
  private final List<Integer> nearest = new ArrayList<>();
  private final Map<String, Integer> addedPlaces = new HashMap<>();
  private final int[] changes = new int[CHANGES];
  private final Map<List<AttributeFilter>, Mask> masks =
      new LinkedHashMap<>(MASKS, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<List<AttributeFilter>, Mask> eldest) {
          return size() > MASKS;
        }
      };
  private long revision;

  /** The places that must not be found, as of a revision. */
  private record Mask(long revision, long[] bits) {}

  /**
   * All items are on, and none has an attribute.
   *
   * @param spare how many can be added
   */
  Catalogue(IdIndex items, int spare, Placing placing) {
    this.items = items;
    this.capacity = items.size() + spare;
    this.placing = placing;
    this.attributes = new Attributes(capacity);
    this.off = new long[(capacity + Long.SIZE - 1) / Long.SIZE];
    for (int place = items.size(); place < capacity; place++) {
      off[place / Long.SIZE] |= 1L << place;
    }
  }

  int numItems() {
    return items.size();
  }

  /** How many items can be found at all. */
  int size() {
    return locked(() -> items.size() + addedIds.size());
  }

  /** The place of an item, or -1. */
  int placeOf(String itemId) {
    int place = items.indexOf(itemId);
    return place >= 0 ? place : locked(() -> addedPlaces.getOrDefault(itemId, -1));
  }

  String idOf(int place) {
    return place < items.size()
        ? items.idOf(place)
        : locked(() -> addedIds.get(place - items.size()));
  }

  /** By which item of the bundle a model knows an item of a history; -1 if it knows none. */
  int knownAs(String itemId) {
    int place = placeOf(itemId);
    return place < items.size() ? place : locked(() -> nearest.get(place - items.size()));
  }

  /** Sets values of attributes of an item. */
  void setAttributes(int place, Map<String, Set<String>> values) {
    locked(
        () -> {
          attributes.set(place, values);
          changed(place);
          return true;
        });
  }

  /** Switches an item on or off. */
  void setAvailable(int place, boolean available) {
    locked(
        () -> {
          switchOff(place, !available);
          changed(place);
          return true;
        });
  }

  /**
   * Adds an item, which is on.
   *
   * @throws InvalidInputException if there is no room, or nothing is known that is like it
   */
  void add(NewItem item) {
    locked(
        () -> {
          int slot = addedIds.size();
          int place = items.size() + slot;
          if (place >= capacity) {
            throw new InvalidInputException(
                "item '%s' cannot be added: there is room for %d new items, see maxNewItems; or swap to a bundle that knows them"
                    .formatted(item.itemId(), slot));
          }
          List<Attributes.Alike> kin = kin(item);
          double total = kin.stream().mapToDouble(Attributes.Alike::cosine).sum();
          float[] weights = new float[kin.size()];
          for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) (kin.get(i).cosine() / total);
          }
          placing.place(slot, kin.stream().mapToInt(Attributes.Alike::place).toArray(), weights);
          addedIds.add(item.itemId());
          nearest.add(kin.get(0).place());
          addedPlaces.put(item.itemId(), place);
          attributes.set(place, item.attributes());
          switchOff(place, false);
          changed(place);
          return true;
        });
  }

  private List<Attributes.Alike> kin(NewItem item) {
    List<Attributes.Alike> kin;
    if (item.like().isEmpty()) {
      kin = attributes.mostAlike(item.attributes(), items.size(), KIN);
    } else {
      kin =
          item.like().stream()
              .distinct()
              .mapToInt(items::indexOf)
              .filter(place -> place >= 0)
              .mapToObj(place -> new Attributes.Alike(place, 1))
              .toList();
    }
    if (kin.isEmpty()) {
      throw new InvalidInputException(
          "item '%s' cannot be added: the model knows no item that is like it; give it attributes that known items have, or name known items"
              .formatted(item.itemId()));
    }
    return kin;
  }

  /**
   * The places that must not be found: those of items that are off or do not meet all demands. Not
   * to be changed.
   */
  long[] mask(List<AttributeFilter> filters) {
    return locked(
        () -> {
          Mask kept = masks.get(filters);
          if (kept == null || kept.revision != revision) {
            kept = new Mask(revision, bits(filters, kept));
            masks.put(filters, kept);
          }
          return kept.bits;
        });
  }

  private long[] bits(List<AttributeFilter> filters, @Nullable Mask kept) {
    if (kept == null || revision - kept.revision > CHANGES) {
      long[] bits = off.clone();
      for (AttributeFilter filter : filters) {
        long[] meeting = attributes.meeting(filter);
        for (int word = 0; word < bits.length; word++) {
          bits[word] |= ~meeting[word];
        }
      }
      return bits;
    }
    long[] bits = kept.bits.clone();
    for (long change = kept.revision; change < revision; change++) {
      int place = changes[(int) (change % CHANGES)];
      boolean hidden = (off[place / Long.SIZE] & (1L << place)) != 0;
      for (AttributeFilter filter : filters) {
        hidden |= !attributes.meets(place, filter);
      }
      if (hidden) {
        bits[place / Long.SIZE] |= 1L << place;
      } else {
        bits[place / Long.SIZE] &= ~(1L << place);
      }
    }
    return bits;
  }

  /** Which values of an attribute the items at places have, as codes. */
  int[][] codes(int[] places, String attribute) {
    return locked(
        () ->
            Arrays.stream(places)
                .mapToObj(p -> attributes.codes(p, attribute))
                .toArray(int[][]::new));
  }

  /** All values of attributes that the items at places have. */
  List<Set<String>> values(int[] places) {
    return locked(() -> Arrays.stream(places).mapToObj(attributes::valuesOf).toList());
  }

  private void switchOff(int place, boolean isOff) {
    if (isOff) {
      off[place / Long.SIZE] |= 1L << place;
    } else {
      off[place / Long.SIZE] &= ~(1L << place);
    }
  }

  private void changed(int place) {
    changes[(int) (revision++ % CHANGES)] = place;
  }

  private <T> T locked(Supplier<T> work) {
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }
}
