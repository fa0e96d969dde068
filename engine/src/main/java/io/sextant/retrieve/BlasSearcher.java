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
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * For matrices on the CPU where there is OpenBLAS ({@link RowProducts}): every thread multiplies a
 * tile of its own and scans it ({@link TileScan}) while it is in that core's cache.
 *
 * <p>Design. Lists are cut into groups and items into bands; a task is a tile, of one group and one
 * band. Where there are fewer groups than threads, several threads work on the same lists, each
 * with candidates of its own that are put together at the end. Candidates that nobody uses go to
 * the next task of their group, so most groups have one; each sees its items in ascending order,
 * which the ties need.
 *
 * <p>Thread safety: safe; searches share the team's threads.
 */
final class BlasSearcher implements Searcher {

  private static final int GROUP_LISTS = 128;

  /** 1 MiB of scores. */
  private static final int TILE_SCORES = 1 << 18;

  private static final int MAX_TILE_ITEMS = 4 * TileScan.CHUNK;

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
      int end = Math.min(search.numLists, first + lists);
      for (int list = first; list < end; list += groupLists) {
        groups.add(new Group(search, list, Math.min(groupLists, end - list)));
      }
    }

    void run() {
      AtomicInteger workers = new AtomicInteger();
      team.run(bands * groups.size(), () -> new Worker(workers.getAndIncrement())::work);
      team.run(groups.size(), () -> group -> groups.get(group).finish());
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

      void work(int task) {
        Group group = groups.get(task % groups.size());
        int band = task / groups.size();
        int firstItem = band * bandItems;
        int width = Math.min(bandItems, search.numItems - firstItem);
        products.compute(group.firstList, group.lists, firstItem, width, scores);
        Candidates candidates = group.take(band).candidates;
        for (int list = 0; list < group.lists; list++) {
          scan.scan(
              bits,
              list * width,
              width,
              candidates,
              list,
              firstItem,
              search.added,
              group.firstList + list);
        }
        group.giveBack(candidates, band);
      }
    }
  }

  /** Lists that are multiplied at once, and what was found for them. */
  private static final class Group {

    private final Search search;
    private final int firstList;
    private final int lists;

    /** Those that nobody works with. */
    private final List<Found> idle = new ArrayList<>();

    Group(Search search, int firstList, int lists) {
      this.search = search;
      this.firstList = firstList;
      this.lists = lists;
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

    synchronized void finish() {
      Candidates all = idle.get(0).candidates;
      for (Found others : idle.subList(1, idle.size())) {
        all.offerAll(others.candidates);
      }
      for (int list = 0; list < lists; list++) {
        search.finish(all, firstList, list);
      }
    }
  }

  private record Found(Candidates candidates, int lastBand) {}
}
