package io.sextant.strategy;

import io.sextant.InvalidInputException;
import io.sextant.tensor.CounterRandom;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which options of a strategy are worth tuning, and in what range.
 *
 * <p>Thread safety: immutable.
 *
 * @param ranges by the option's name in a recipe, as {@code l2} or {@code history.decay}
 */
public record SearchSpace(Map<String, Range> ranges) {

  /** Nothing to tune. */
  public static final SearchSpace NONE = new SearchSpace(Map.of());

  public SearchSpace {
    ranges = Collections.unmodifiableMap(new LinkedHashMap<>(ranges));
  }

  /** What an option may be. */
  public sealed interface Range permits Reals, Integers, Choice {

    /** A value drawn at random. */
    Number draw(CounterRandom random);
  }

  /**
   * Real numbers, rounded to three digits that count.
   *
   * @param logarithmic whether factors are equally likely, not differences
   */
  public record Reals(double low, double high, boolean logarithmic) implements Range {

    public Reals {
      check(low, high, logarithmic);
    }

    @Override
    public Double draw(CounterRandom random) {
      double value = drawn(low, high, logarithmic, random);
      double rounded =
          new BigDecimal(value).round(new MathContext(3, RoundingMode.HALF_EVEN)).doubleValue();
      return Math.min(high, Math.max(low, rounded));
    }
  }

  /**
   * Whole numbers, both ends included.
   *
   * @param logarithmic whether factors are equally likely, not differences
   */
  public record Integers(int low, int high, boolean logarithmic) implements Range {

    public Integers {
      check(low, high, logarithmic);
    }

    @Override
    public Integer draw(CounterRandom random) {
      double value = drawn(low - 0.5, high + 0.5, logarithmic, random);
      return Math.min(high, Math.max(low, (int) Math.round(value)));
    }
  }

  /** One of some whole numbers. */
  public record Choice(List<Integer> values) implements Range {

    public Choice {
      values = List.copyOf(values);
      if (values.isEmpty()) {
        throw new InvalidInputException("a choice needs at least one value");
      }
    }

    @Override
    public Integer draw(CounterRandom random) {
      return values.get(random.nextInt(values.size()));
    }
  }

  /** A builder. */
  public static Builder builder() {
    return new Builder();
  }

  /** Whether there is nothing to tune. */
  public boolean isEmpty() {
    return ranges.isEmpty();
  }

  /**
   * A value for each option, the same for the same seed and number.
   *
   * @param stream what is tuned: two streams never share numbers
   * @param number of the draw
   */
  public Map<String, Number> draw(long seed, String stream, int number) {
    CounterRandom random = new CounterRandom(seed, stream, number);
    Map<String, Number> values = new LinkedHashMap<>();
    ranges.forEach((name, range) -> values.put(name, range.draw(random)));
    return values;
  }

  private static double drawn(double low, double high, boolean logarithmic, CounterRandom random) {
    double share = random.nextFloat();
    return logarithmic ? low * Math.pow(high / low, share) : low + share * (high - low);
  }

  private static void check(double low, double high, boolean logarithmic) {
    if (!(low < high) || !Double.isFinite(low) || !Double.isFinite(high)) {
      throw new InvalidInputException(
          "a range needs low < high but had %s and %s".formatted(low, high));
    }
    if (logarithmic && low <= 0) {
      throw new InvalidInputException("a logarithmic range must be > 0 but began at " + low);
    }
  }

  /** Collects ranges. Not thread-safe. */
  public static final class Builder {
    private final Map<String, Range> ranges = new LinkedHashMap<>();

    private Builder() {}

    /** Real numbers by their difference. */
    public Builder reals(String name, double low, double high) {
      return add(name, new Reals(low, high, false));
    }

    /** Real numbers by their factor. */
    public Builder logReals(String name, double low, double high) {
      return add(name, new Reals(low, high, true));
    }

    /** Whole numbers by their difference. */
    public Builder integers(String name, int low, int high) {
      return add(name, new Integers(low, high, false));
    }

    /** Whole numbers by their factor. */
    public Builder logIntegers(String name, int low, int high) {
      return add(name, new Integers(low, high, true));
    }

    /** One of some whole numbers. */
    public Builder choice(String name, Integer... values) {
      return add(name, new Choice(List.of(values)));
    }

    /** How an ordered history decays; nothing for a history whose items all count alike. */
    Builder decayOf(HistoryWeights history) {
      return history.decay() < 1 ? reals("history.decay", 0.3, 0.95) : this;
    }

    private Builder add(String name, Range range) {
      if (ranges.put(name, range) != null) {
        throw new InvalidInputException("the option '%s' has two ranges".formatted(name));
      }
      return this;
    }

    public SearchSpace build() {
      return new SearchSpace(ranges);
    }
  }
}
