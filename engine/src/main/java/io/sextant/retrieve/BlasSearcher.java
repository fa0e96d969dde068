package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.RowProducts;
import io.sextant.tensor.Scope;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntConsumer;

/**
 * For matrices on the CPU where there is OpenBLAS ({@link RowProducts}): every thread multiplies a
 * tile of its own and scans it ({@link TileScan}) while it is in that core's cache.
 *
 * <p>Design. Lists are cut into groups and items into bands; a task is a tile, of one group and one
 * band. Where there are fewer groups than threads, several threads work on the same lists, each
 * with candidates of its own that are put together at the end; they share thresholds. Candidates
 * that nobody uses go to the next task of their group, so most groups have one; each sees its items
 * in ascending order, which the ties need.
 *
 * <p>Most of a selection's work is in the scores that pass while its threshold is still low. So
 * each list begins with a guess: the score of such a rank in a sample that more than k items of the
 * catalogue reach, all but surely. A list that comes out too short is searched again without it.
 *
 * <p>Thread safety: safe; searches share the team's threads.
 */
final class BlasSearcher implements Searcher {

  private static final int GROUP_LISTS = 128;

  /** 1 MiB of scores. */
  private static final int TILE_SCORES = 1 << 18;

  private static final int MAX_TILE_ITEMS = 4 * TileScan.CHUNK;

  /** A sample is as many items as a scan takes at once, in runs from all over the catalogue. */
  private static final int RUN = 32;

  private static final int RUNS = TileScan.CHUNK / RUN;

  /** With fewer lists or items a sample costs more than it spares. */
  private static final int MIN_SAMPLED_LISTS = 16;

  private static final int MIN_SAMPLED_ITEMS = 8 * TileScan.CHUNK;

  /** Every lane of a sample's scan counts once. */
  private static final int MAX_SAMPLED_RANK = 64;

  private final HostTeam team;
  private final int threads;
  private final long temporaryBytes;

  BlasSearcher(HostTeam team, int threads, long temporaryBytes) {
    this.team = team;
    this.threads = threads;
    this.temporaryBytes = temporaryBytes;
  }

  /** Whether a search can be done here. */
  boolean takes(Search search) {
    NDArray matrix = search.items.matrix();
    return matrix != null
        && RowProducts.fits(matrix)
        && RowProducts.fits(search.queries)
        && (long) Math.min(GROUP_LISTS, search.numLists)
                * Candidates.capacity(search.keep, search.numItems)
                * threads
            <= Search.MAX_BUFFER_LONGS;
  }

  @Override
  public void search(Search search, Scope scope) {
    NDArray matrix = Objects.requireNonNull(search.items.matrix());
    RowProducts products = new RowProducts(search.queries, matrix);
    int groupLists = Tiles.evenWidth(search.numLists, GROUP_LISTS);
    int scores = (int) Math.min(TILE_SCORES, temporaryBytes / threads / Float.BYTES);
    int bandItems = Math.max(1, Math.min(MAX_TILE_ITEMS, scores / groupLists));
    if (bandItems > TileScan.CHUNK) {
      bandItems -= bandItems % TileScan.CHUNK;
    }
    try (Scope tiles = scope.child()) {
      NDArray memory =
          tiles.adopt(
              tiles.manager().create(new Shape(threads, groupLists * bandItems), DataType.FLOAT32));
      int block = Math.max(groupLists, search.listsPerBlock() / groupLists * groupLists);
      for (int first = 0; first < search.numLists; first += block) {
        new Block(search, products, memory, groupLists, bandItems, first, block).run();
      }
    }
  }

  /** Some of the lists, as many as have room for their candidates. */
  private final class Block {

    private final Search search;
    private final RowProducts products;
    private final ByteBuffer memory;
    private final int bandItems;
    private final int bands;
    private final int sampledRank;
    private final List<Group> groups = new ArrayList<>();

    Block(
        Search search,
        RowProducts products,
        NDArray memory,
        int groupLists,
        int bandItems,
        int first,
        int lists) {
      this.search = search;
      this.products = products;
      this.memory = memory.toByteBuffer(true);
      this.bandItems = bandItems;
      this.bands = Tiles.count(search.numItems, bandItems);
      this.sampledRank =
          memory.getShape().get(1) < (long) groupLists * TileScan.CHUNK ? 0 : sampledRank(search);
      int end = Math.min(search.numLists, first + lists);
      for (int list = first; list < end; list += groupLists) {
        groups.add(new Group(search, list, Math.min(groupLists, end - list)));
      }
    }

    void run() {
      if (sampledRank > 0) {
        eachDoes(groups.size(), worker -> worker::sample);
      }
      eachDoes(bands * groups.size(), worker -> worker::work);
      eachDoes(groups.size(), worker -> worker::finish);
    }

    private void eachDoes(int tasks, Function<Worker, IntConsumer> what) {
      AtomicInteger workers = new AtomicInteger();
      team.run(tasks, () -> what.apply(new Worker(workers.getAndIncrement())));
    }

    /** What one thread works with. */
    private final class Worker {

      private final ByteBuffer scores;
      private final IntBuffer bits;
      private final TileScan scan = new TileScan();

      Worker(int number) {
        int tile = memory.capacity() / threads;
        scores = memory.slice(number * tile, tile).order(memory.order());
        bits = scores.asIntBuffer();
      }

      /** Guesses the thresholds of a group. */
      void sample(int number) {
        Group group = groups.get(number);
        int stride = search.numItems / RUNS;
        int size = group.lists * RUN * Float.BYTES;
        for (int run = 0; run < RUNS; run++) {
          products.compute(
              group.firstList, group.lists, run * stride, RUN, scores.slice(run * size, size));
        }
        for (int list = 0; list < group.lists; list++) {
          int reached = sampledRank;
          for (int run = 0; run < RUNS; run++) {
            reached += search.excluded.atMost(group.firstList + list, run * stride, RUN);
          }
          if (reached <= MAX_SAMPLED_RANK) {
            group.reached[list] =
                scan.floorOfSample(bits, list * RUN, RUN, group.lists * RUN, reached);
          }
        }
      }

      void work(int task) {
        work(groups.get(task % groups.size()), task / groups.size());
      }

      private void work(Group group, int band) {
        int firstItem = band * bandItems;
        int width = Math.min(bandItems, search.numItems - firstItem);
        products.compute(group.firstList, group.lists, firstItem, width, scores);
        Candidates candidates = group.take(band).candidates;
        for (int list = 0; list < group.lists; list++) {
          group.tell(candidates, list);
          scan.scan(
              bits,
              list * width,
              width,
              candidates,
              list,
              firstItem,
              search.added,
              group.firstList + list);
          group.learn(candidates, list);
        }
        group.giveBack(candidates, band);
      }

      /** Writes the lists of a group. */
      void finish(int number) {
        Group group = groups.get(number);
        Candidates found = group.all();
        for (int list = 0; list < group.lists; list++) {
          if (sampledRank > 0 && search.isShort(found, group.firstList, list)) {
            Group again = new Group(search, group.firstList + list, 1);
            for (int band = 0; band < bands; band++) {
              work(again, band);
            }
            search.finish(again.all(), again.firstList, 0);
          } else {
            search.finish(found, group.firstList, list);
          }
        }
      }
    }
  }

  /** Lists that are multiplied at once, and what was found for them. */
  private static final class Group {

    private final Search search;
    private final int firstList;
    private final int lists;

    /**
     * For each list, a key that k items reach, as far as known or guessed. Threads read and write
     * it as they come: what was true stays so.
     */
    private final int[] reached;

    /** Those that nobody works with. */
    private final List<Found> idle = new ArrayList<>();

    Group(Search search, int firstList, int lists) {
      this.search = search;
      this.firstList = firstList;
      this.lists = lists;
      this.reached = new int[lists];
      Arrays.fill(reached, Candidates.NO_THRESHOLD);
    }

    /** Spares candidates what other threads' have surpassed; of equal ones the order decides. */
    void tell(Candidates candidates, int list) {
      int key = reached[list];
      if (key > Candidates.NO_THRESHOLD) {
        candidates.raise(list, key - 1);
      }
    }

    void learn(Candidates candidates, int list) {
      int key = candidates.threshold(list);
      if (key > reached[list]) {
        reached[list] = key;
      }
    }

    /** What was found in earlier bands alone, or nothing yet. */
    synchronized Found take(int band) {
      for (int i = idle.size() - 1; i >= 0; i--) {
        if (idle.get(i).lastBand < band) {
          return idle.remove(i);
        }
      }
      return new Found(search.candidates(firstList, lists), -1);
    }

    synchronized void giveBack(Candidates candidates, int band) {
      idle.add(new Found(candidates, band));
    }

    /** What was found in all bands. */
    synchronized Candidates all() {
      Candidates all = idle.get(0).candidates;
      for (Found others : idle.subList(1, idle.size())) {
        all.offerAll(others.candidates);
      }
      return all;
    }
  }

  /** A rank in the sample whose score more than k items reach, or 0 where a sample is no use. */
  private static int sampledRank(Search search) {
    if (search.added != null
        || search.numLists < MIN_SAMPLED_LISTS
        || search.numItems < MIN_SAMPLED_ITEMS) {
      return 0;
    }
    double expected = (double) search.keep * TileScan.CHUNK / search.numItems;
    double rank = expected + 3 * Math.sqrt(expected) + 3;
    return rank > MAX_SAMPLED_RANK ? 0 : (int) Math.ceil(rank);
  }

  private record Found(Candidates candidates, int lastBand) {}
}
