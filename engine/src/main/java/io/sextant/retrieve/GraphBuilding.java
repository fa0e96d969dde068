package io.sextant.retrieve;

import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex;
import io.github.jbellis.jvector.graph.NodesIterator;
import io.github.jbellis.jvector.graph.similarity.BuildScoreProvider;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.graph.similarity.ScoreFunction;
import io.github.jbellis.jvector.graph.similarity.SearchScoreProvider;
import io.github.jbellis.jvector.vector.VectorizationProvider;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import io.sextant.SextantException;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

/**
 * Builds an {@link ItemGraph} with JVector: the only class that knows it.
 *
 * <p>Design. JVector links items that are near each other (Vamana: Subramanya et al., "DiskANN",
 * NeurIPS 2019); the greatest inner product is not the nearest item. So items get one more
 * coordinate that gives all the same length, {@code sqrt(L^2 - |v|^2)}, and queries get 0 there:
 * then the nearest is the greatest product (Bachrach et al., RecSys 2014). Before that the items'
 * mean is taken off, which changes all scores of a query alike and makes the lengths less
 * different, and columns are scaled as the caller says. L is the length that {@value #SHARE} of the
 * items do not exceed; the few longer ones get 0, because a single very long one would make all
 * others look alike.
 */
final class GraphBuilding implements BuildScoreProvider {

  private static final double SHARE = 0.99;

  /** So many long items are entries. */
  private static final int LONGEST = 64;

  /** How many more neighbours than its degree an item may have while the graph grows. */
  private static final float OVERFLOW = 1.2f;

  /** How much longer a detour through a neighbour may be than an own link: DiskANN's. */
  private static final float ALPHA = 1.2f;

  private final float[] vectors;
  private final int dimension;
  private final float[] lengths;
  private final float[] lifts;

  private GraphBuilding(float[] vectors, int dimension) {
    this.vectors = vectors;
    this.dimension = dimension;
    int n = vectors.length / dimension;
    lengths = new float[n];
    lifts = new float[n];
    for (int item = 0; item < n; item++) {
      int at = item * dimension;
      float[] row = Arrays.copyOfRange(vectors, at, at + dimension);
      lengths[item] = ItemGraph.dot(row, row, 0, dimension);
    }
    float[] sorted = lengths.clone();
    Arrays.sort(sorted);
    float greatest = sorted[(int) Math.min(n - 1, SHARE * n)];
    for (int item = 0; item < n; item++) {
      lifts[item] = (float) Math.sqrt(Math.max(0, greatest - lengths[item]));
      lengths[item] += lifts[item] * lifts[item];
    }
  }

  /**
   * Builds.
   *
   * @param vectors (n * D), n at least 1
   * @param scales (D)
   */
  static ItemGraph build(float[] vectors, float[] scales, GraphOptions options) {
    int dimension = scales.length;
    int n = vectors.length / dimension;
    GraphBuilding scores = new GraphBuilding(centred(vectors, scales), dimension);
    ForkJoinPool pool = new ForkJoinPool(options.threads());
    try (GraphIndexBuilder builder =
        new GraphIndexBuilder(
            scores,
            dimension,
            options.degree(),
            options.buildWidth(),
            OVERFLOW,
            ALPHA,
            false,
            true,
            pool,
            pool)) {
      pool.submit(
              () ->
                  IntStream.range(0, n)
                      .parallel()
                      .forEach(item -> builder.addGraphNode(item, scores.searchProviderFor(item))))
          .join();
      builder.cleanup();
      return scores.frozen(builder.getGraph(), vectors, options.degree());
    } catch (IOException e) {
      throw new SextantException("the graph cannot be built: " + e.getMessage(), e);
    } finally {
      pool.shutdown();
    }
  }

  private static float[] centred(float[] vectors, float[] scales) {
    int dimension = scales.length;
    double[] sums = new double[dimension];
    for (int i = 0; i < vectors.length; i++) {
      sums[i % dimension] += vectors[i];
    }
    int n = vectors.length / dimension;
    float[] centred = new float[vectors.length];
    for (int i = 0; i < vectors.length; i++) {
      centred[i] = (float) ((vectors[i] - sums[i % dimension] / n) * scales[i % dimension]);
    }
    return centred;
  }

  private ItemGraph frozen(ImmutableGraphIndex graph, float[] vectors, int degree)
      throws IOException {
    int n = vectors.length / dimension;
    int[] neighbours = new int[Math.multiplyExact(n, degree)];
    Arrays.fill(neighbours, -1);
    try (ImmutableGraphIndex.View view = graph.getView()) {
      for (int item = 0; item < n; item++) {
        NodesIterator links = view.getNeighborsIterator(0, item);
        for (int i = 0; i < degree && links.hasNext(); i++) {
          neighbours[item * degree + i] = links.nextInt();
        }
      }
      return new ItemGraph(vectors, dimension, neighbours, degree, entries(view.entryNode().node));
    }
  }

  /**
   * The middle, and the longest items: they are what many queries ask for, and few lie near them.
   */
  private int[] entries(int middle) {
    int n = lengths.length;
    long[] byLength = new long[n];
    for (int item = 0; item < n; item++) {
      byLength[item] = Candidates.ordered(lengths[item] - lifts[item] * lifts[item], item);
    }
    Arrays.sort(byLength);
    int[] entries = new int[1 + Math.min(LONGEST, n)];
    entries[0] = middle;
    for (int i = 1; i < entries.length; i++) {
      entries[i] = Candidates.item(byLength[n - i]);
    }
    return entries;
  }

  @Override
  public boolean isExact() {
    return true;
  }

  @Override
  public VectorFloat<?> approximateCentroid() {
    // The mean was taken off.
    return VectorizationProvider.getInstance()
        .getVectorTypeSupport()
        .createFloatVector(new float[dimension]);
  }

  @Override
  public SearchScoreProvider searchProviderFor(VectorFloat<?> vector) {
    float[] query = new float[dimension];
    float length = 0;
    for (int d = 0; d < dimension; d++) {
      query[d] = vector.get(d);
      length += query[d] * query[d];
    }
    return provider(query, length, 0);
  }

  @Override
  public SearchScoreProvider searchProviderFor(int item) {
    float[] row = Arrays.copyOfRange(vectors, item * dimension, (item + 1) * dimension);
    return provider(row, lengths[item], lifts[item]);
  }

  @Override
  public SearchScoreProvider diversityProviderFor(int item) {
    return searchProviderFor(item);
  }

  /** JVector's similarity of Euclidean distance, 1 / (1 + distance^2). */
  private SearchScoreProvider provider(float[] query, float length, float lift) {
    ScoreFunction.ExactScoreFunction score =
        item -> {
          float product =
              ItemGraph.dot(query, vectors, item * dimension, dimension) + lift * lifts[item];
          return 1 / (1 + Math.max(0, length + lengths[item] - 2 * product));
        };
    return new DefaultSearchScoreProvider(score);
  }
}
