package io.sextant.benchmarks;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * What every peer learns from: the same random pairs of a user and an item, an epoch of {@code
 * steps} batches. Each example is compared with one uniformly drawn item (BPR).
 *
 * @param users (steps * batch) the user of each example
 * @param items (steps * batch) the item of each example
 */
record Workload(Sizes sizes, int steps, int[] users, int[] items) {

  static Workload random(Sizes sizes, int steps) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    int size = Math.multiplyExact(steps, sizes.batch());
    int[] users = new int[size];
    int[] items = new int[size];
    for (int row = 0; row < size; row++) {
      users[row] = random.nextInt(sizes.users());
      items[row] = random.nextInt(sizes.items());
    }
    return new Workload(sizes, steps, users, items);
  }
}
