package io.sextant.serve;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What users did since the bundle was made: the latest items of each, oldest first, for a bounded
 * number of users. A new user takes the place of the one whose last event is the oldest, among
 * those who share a lock.
 *
 * <p>Items are kept by id, because the next bundle numbers them otherwise.
 *
 * <p>Thread safety: safe; users are spread over locks.
 */
final class LiveHistories {

  private static final int SHARDS = 16;

  /** With fewer users to a lock, the order of their last events would hold among a few only. */
  private static final int USERS_PER_SHARD = 64;

  private final int maxEvents;
  private final Shard[] shards;

  private static final class Shard {
    private final ReentrantLock lock = new ReentrantLock();
    private final LinkedHashMap<String, String[]> users;

    Shard(int maxUsers) {
      users =
          new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, String[]> eldest) {
              return size() > maxUsers;
            }
          };
    }
  }

  LiveHistories(int maxUsers, int maxEvents) {
    this.maxEvents = maxEvents;
    int numShards = Math.max(1, Math.min(SHARDS, maxUsers / USERS_PER_SHARD));
    shards = new Shard[numShards];
    for (int i = 0; i < numShards; i++) {
      shards[i] = new Shard(maxUsers / numShards + (i < maxUsers % numShards ? 1 : 0));
    }
  }

  /** Appends an event. */
  void record(String userId, String itemId) {
    Shard shard = shardOf(userId);
    shard.lock.lock();
    try {
      // Taken out and put in again: the order is that of the last events.
      String[] before = shard.users.remove(userId);
      String[] after;
      if (before == null) {
        after = new String[] {itemId};
      } else {
        int kept = Math.min(before.length, maxEvents - 1);
        after = Arrays.copyOfRange(before, before.length - kept, before.length + 1);
        after[kept] = itemId;
      }
      shard.users.put(userId, after);
    } finally {
      shard.lock.unlock();
    }
  }

  /** The events of a user, oldest first; none if there are none. */
  List<String> of(String userId) {
    Shard shard = shardOf(userId);
    shard.lock.lock();
    try {
      String[] events = shard.users.get(userId);
      return events == null ? List.of() : List.of(events);
    } finally {
      shard.lock.unlock();
    }
  }

  /** How many users there are. */
  int size() {
    int size = 0;
    for (Shard shard : shards) {
      shard.lock.lock();
      try {
        size += shard.users.size();
      } finally {
        shard.lock.unlock();
      }
    }
    return size;
  }

  /**
   * A history of a bundle and the events since. Where the bundle knows some of the events already,
   * its end is their beginning, and they come once.
   *
   * @param stored oldest first
   * @param live oldest first
   */
  static int[] joined(int[] stored, int[] live) {
    int overlap = Math.min(stored.length, live.length);
    while (!Arrays.equals(stored, stored.length - overlap, stored.length, live, 0, overlap)) {
      overlap--;
    }
    int[] joined = Arrays.copyOf(stored, stored.length + live.length - overlap);
    System.arraycopy(live, overlap, joined, stored.length, live.length - overlap);
    return joined;
  }

  private Shard shardOf(String userId) {
    int hash = userId.hashCode();
    return shards[Math.floorMod(hash ^ (hash >>> 16), shards.length)];
  }
}
