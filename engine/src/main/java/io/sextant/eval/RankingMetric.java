package io.sextant.eval;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A measure of one user's ranked list against the items that turned out to be relevant, cut at
 * place k. With r_1 &lt; r_2 &lt; ... the places (from 1) of the relevant items among the first k,
 * h how many those are and n how many relevant items there are:
 *
 * <ul>
 *   <li>{@code hr}: 1 if h &gt; 0, else 0
 *   <li>{@code recall}: h / n, so that a user with n &gt; k cannot reach 1
 *   <li>{@code precision}: h / k, also where the list is shorter than k
 *   <li>{@code ndcg}: sum_j 1 / log2(r_j + 1), over the same sum for places 1 to min(k, n)
 *       (Järvelin and Kekäläinen, TOIS 2002, binary gains)
 *   <li>{@code map}: average precision, sum_j j / r_j over min(k, n)
 *   <li>{@code mrr}: 1 / r_1, or 0 without a hit
 * </ul>
 *
 * <p>All lie in [0, 1]. A list that ends before k has misses in the missing places.
 *
 * <p>Thread safety: immutable.
 *
 * @param kind which measure
 * @param k the cut, at least 1
 */
public record RankingMetric(Kind kind, int k) {

  /** The measures, without their cut. */
  public enum Kind {
    HR,
    RECALL,
    PRECISION,
    NDCG,
    MAP,
    MRR;

    private final String key = name().toLowerCase(Locale.ROOT);
  }

  private static final Pattern NAME = Pattern.compile("([a-z]+)@([0-9]{1,9})");

  // A table, because logarithms would be most of the cost of an evaluation.
  private static final double[] DISCOUNTS = new double[1024];
  private static final double[] IDEAL = new double[DISCOUNTS.length + 1];

  static {
    for (int i = 0; i < DISCOUNTS.length; i++) {
      DISCOUNTS[i] = computeDiscount(i);
      IDEAL[i + 1] = IDEAL[i] + DISCOUNTS[i];
    }
  }

  public RankingMetric {
    if (k < 1) {
      throw new InvalidInputException("the cut k of a ranking metric must be >= 1 but was " + k);
    }
  }

  public static RankingMetric hr(int k) {
    return new RankingMetric(Kind.HR, k);
  }

  public static RankingMetric recall(int k) {
    return new RankingMetric(Kind.RECALL, k);
  }

  public static RankingMetric precision(int k) {
    return new RankingMetric(Kind.PRECISION, k);
  }

  public static RankingMetric ndcg(int k) {
    return new RankingMetric(Kind.NDCG, k);
  }

  public static RankingMetric map(int k) {
    return new RankingMetric(Kind.MAP, k);
  }

  public static RankingMetric mrr(int k) {
    return new RankingMetric(Kind.MRR, k);
  }

  /**
   * Reads a name such as {@code ndcg@10}, upper or lower case.
   *
   * @throws InvalidInputException if the text is not the name of a metric
   */
  public static RankingMetric parse(String text) {
    Matcher matcher = NAME.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (matcher.matches()) {
      for (Kind kind : Kind.values()) {
        if (kind.key.equals(matcher.group(1))) {
          return new RankingMetric(kind, Integer.parseInt(matcher.group(2)));
        }
      }
    }
    throw new InvalidInputException(
        "'%s' is not a ranking metric: write one of %s, then @ and the cut, for example ndcg@10"
            .formatted(text, Arrays.stream(Kind.values()).map(kind -> kind.key).toList()));
  }

  /** The name as it is printed and parsed: {@code hr@10}, {@code recall@20}, {@code ndcg@10}. */
  public String name() {
    return kind.key + "@" + k;
  }

  @Override
  public String toString() {
    return name();
  }

  /**
   * The value for one user.
   *
   * @param places ascending places, from 0, of the relevant items in the list
   * @param numPlaces how many entries of {@code places} are set; some may lie behind k
   * @param numRelevant n, at least 1
   */
  double value(int[] places, int numPlaces, int numRelevant) {
    int hits = 0;
    while (hits < numPlaces && places[hits] < k) {
      hits++;
    }
    return switch (kind) {
      case HR -> hits > 0 ? 1 : 0;
      case RECALL -> (double) hits / numRelevant;
      case PRECISION -> (double) hits / k;
      case NDCG -> {
        double gain = 0;
        for (int i = 0; i < hits; i++) {
          gain += discount(places[i]);
        }
        yield gain / ideal(Math.min(k, numRelevant));
      }
      case MAP -> {
        double sum = 0;
        for (int i = 0; i < hits; i++) {
          sum += (i + 1.0) / (places[i] + 1.0);
        }
        yield sum / Math.min(k, numRelevant);
      }
      case MRR -> hits > 0 ? 1.0 / (places[0] + 1.0) : 0;
    };
  }

  private static double discount(int place) {
    return place < DISCOUNTS.length ? DISCOUNTS[place] : computeDiscount(place);
  }

  private static double computeDiscount(int place) {
    // StrictMath: the same digits on every machine.
    return StrictMath.log(2) / StrictMath.log(place + 2.0);
  }

  private static double ideal(int n) {
    double sum = IDEAL[Math.min(n, DISCOUNTS.length)];
    for (int i = DISCOUNTS.length; i < n; i++) {
      sum += computeDiscount(i);
    }
    return sum;
  }
}
