package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CandidatesTest {

  @Test
  void selectsTheGreatest() {
    for (int seed = 0; seed < 2000; seed++) {
      Random random = new Random(seed);
      int n = 1 + random.nextInt(300);
      int from = random.nextInt(5);
      long[] values = random.longs(n + from + 3).toArray();
      switch (seed % 4) {
        case 0 -> Arrays.sort(values);
        case 1 -> Arrays.setAll(values, i -> -i);
        case 2 -> Arrays.setAll(values, i -> i < values.length / 2 ? i : values.length * 2L - i);
        default -> {}
      }
      int k = 1 + random.nextInt(n);
      long[] expected = Arrays.copyOfRange(values, from, from + n);
      Arrays.sort(expected);
      expected = Arrays.copyOfRange(expected, n - k, n);
      long[] outside = {values[from + n], from > 0 ? values[from - 1] : 0};
      Candidates.selectGreatest(values, from, from + n, k);
      long[] found = Arrays.copyOfRange(values, from, from + k);
      Arrays.sort(found);
      assertThat(found).as("seed %d, n %d, k %d", seed, n, k).isEqualTo(expected);
      assertThat(values[from + n]).as("seed %d", seed).isEqualTo(outside[0]);
      assertThat(from > 0 ? values[from - 1] : 0).as("seed %d", seed).isEqualTo(outside[1]);
    }
  }

  @Test
  void keysCompareLikeTheFloats() {
    Random random = new Random(4);
    for (int i = 0; i < 100_000; i++) {
      float a = Float.intBitsToFloat(random.nextInt());
      float b = i % 2 == 0 ? Float.intBitsToFloat(random.nextInt()) : Math.nextUp(a);
      if (Float.isNaN(a) || Float.isNaN(b)) {
        continue;
      }
      assertThat(
              Integer.signum(
                  Integer.compare(
                      Candidates.keyOfBits(Float.floatToRawIntBits(a)),
                      Candidates.keyOfBits(Float.floatToRawIntBits(b)))))
          .as("%s and %s", a, b)
          .isEqualTo(Integer.signum(Float.compare(a, b)));
    }
  }

  @Test
  void scansAnyBitsAsIfOneByOne() {
    // Scores of every magnitude, sign and NaN, so that all branches of the lane test are met.
    for (int seed = 0; seed < 240; seed++) {
      Random random = new Random(seed);
      int n = 1 + random.nextInt(3 * TileScan.CHUNK);
      int mode = seed % 4;
      int[] bits =
          random
              .ints(n)
              .map(
                  x ->
                      switch (mode) {
                        case 0 -> x;
                        case 1 -> x | Integer.MIN_VALUE;
                        case 2 -> x & Integer.MAX_VALUE;
                        default -> Float.floatToRawIntBits((x % 3) * 0.5f * Math.signum(x));
                      })
              .toArray();
      int k = 1 + random.nextInt(150);
      int[] excludedItems =
          random.ints(random.nextInt(200), -9, n + 9).filter(i -> i % 3 > 0).sorted().toArray();
      if (seed % 3 == 0) { // exclude what scores best
        excludedItems =
            IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -Float.intBitsToFloat(bits[i])))
                .limit(100)
                .mapToInt(i -> i)
                .sorted()
                .toArray();
      }
      int[][] excluded = {excludedItems};
      Candidates scanned = new Candidates(Exclusions.of(excluded), 0, 1, k, n);
      new TileScan().scan(IntBuffer.wrap(bits), 0, n, scanned, 0, 0);
      Candidates offered = new Candidates(Exclusions.of(excluded), 0, 1, k, n);
      for (int i = 0; i < n; i++) {
        offered.offer(0, i, bits[i], Candidates.NO_THRESHOLD);
      }
      int[] items = new int[k];
      int[] expected = new int[k];
      float[] scores = new float[k];
      assertThat(scanned.write(0, items, scores, 0))
          .as("seed %d", seed)
          .isEqualTo(offered.write(0, expected, scores, 0));
      assertThat(items).as("seed %d", seed).isEqualTo(expected);
    }
  }
}
