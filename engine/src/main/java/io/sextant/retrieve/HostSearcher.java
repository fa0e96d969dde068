package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.Scope;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * For tensors on the CPU: libtorch multiplies tile by tile ({@link HostProduct}), Java scans each
 * tile in place ({@link TileScan}).
 *
 * <p>Design. A tile of scores is small enough to stay in the cache between product and scan, and
 * far below the size at which the allocator would return its memory to the kernel each time. Items
 * are the outer loop, so that an item tile is read from memory once.
 *
 * <p>Thread safety: safe; searches share the team's threads.
 */
final class HostSearcher implements Searcher {

  private static final int TILE_LISTS = 1024;
  private static final int TILE_ITEMS = 8192;
  private static final long TILE_BYTES = 16 << 20;

  /**
   * So few lists read the items as fast as memory gives them; there each call of libtorch shows.
   */
  private static final int FEW_LISTS = 4;

  private static final int SCORES_OF_FEW_LISTS = 1 << 18;

  /**
   * What a scan writes for a list lies beside that of the next list: with fewer to a task, two
   * threads would write to one cache line all the time.
   */
  private static final int LISTS_PER_TASK = 32;

  /** Where there are few lists, so that they do not all fall to one thread. */
  private static final int FEW_LISTS_PER_TASK = 16;

  private final HostTeam team;
  private final int tileScores;

  HostSearcher(HostTeam team, long temporaryBytes) {
    this.team = team;
    this.tileScores = (int) (Math.min(TILE_BYTES, temporaryBytes) / Float.BYTES);
  }

  @Override
  public void search(Search search, Scope scope) {
    int tileLists = Math.min(TILE_LISTS, search.numLists);
    int widest = tileLists <= FEW_LISTS ? SCORES_OF_FEW_LISTS / tileLists : TILE_ITEMS;
    int tileItems = Tiles.evenWidth(search.numItems, Math.min(widest, tileScores / tileLists));
    int block = search.listsPerBlock();
    for (int first = 0; first < search.numLists; first += block) {
      searchBlock(
          search, scope, first, Math.min(block, search.numLists - first), tileLists, tileItems);
    }
  }

  private void searchBlock(
      Search search, Scope scope, int firstList, int numLists, int tileLists, int tileItems) {
    List<NDArray> queryTiles = new ArrayList<>();
    for (int first = 0; first < numLists; first += tileLists) {
      int end = Math.min(numLists, first + tileLists);
      queryTiles.add(Tiles.rows(search.queries, firstList + first, firstList + end, scope));
    }
    Candidates candidates = search.candidates(firstList, numLists);
    for (int firstItem = 0; firstItem < search.numItems; firstItem += tileItems) {
      try (Scope band = scope.child()) {
        int end = Math.min(search.numItems, firstItem + tileItems);
        NDArray itemTile = search.items.rows(firstItem, end, band);
        int tileFirst = 0;
        for (NDArray queryTile : queryTiles) {
          try (Scope tile = band.child()) {
            IntBuffer bits = HostProduct.bits(queryTile, itemTile, tile);
            scan(search, bits, end - firstItem, candidates, firstList, tileFirst, firstItem);
          }
          tileFirst += tileLists;
        }
      }
    }
    int perTask = listsPerTask(numLists);
    team.run(
        Tiles.count(numLists, perTask),
        () ->
            task -> {
              int end = Math.min(numLists, (task + 1) * perTask);
              for (int list = task * perTask; list < end; list++) {
                search.finish(candidates, firstList, list);
              }
            });
    queryTiles.forEach(NDArray::close);
  }

  private void scan(
      Search search,
      IntBuffer bits,
      int width,
      Candidates candidates,
      int blockFirst,
      int firstList,
      int firstItem) {
    int rows = bits.remaining() / width;
    int perTask = listsPerTask(rows);
    team.run(
        Tiles.count(rows, perTask),
        () -> {
          TileScan scan = new TileScan();
          return task -> {
            int end = Math.min(rows, (task + 1) * perTask);
            for (int row = task * perTask; row < end; row++) {
              int list = firstList + row;
              scan.scan(
                  bits,
                  row * width,
                  width,
                  candidates,
                  list,
                  firstItem,
                  search.added,
                  blockFirst + list);
            }
          };
        });
  }

  private static int listsPerTask(int lists) {
    return lists >= 8 * LISTS_PER_TASK ? LISTS_PER_TASK : FEW_LISTS_PER_TASK;
  }
}
