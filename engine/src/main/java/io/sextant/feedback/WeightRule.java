package io.sextant.feedback;

import io.sextant.InvalidInputException;

/**
 * What is done to an importance weight w &gt;= 0 before it is used: less variance for some bias.
 *
 * <p>Thread safety: immutable.
 *
 * @param kind the rule
 * @param parameter its parameter; 0 for the rules that have none
 */
public record WeightRule(Kind kind, double parameter) {

  /** The rules; l is the parameter. */
  public enum Kind {
    /** 0: the reward model alone. */
    NONE,
    /** w. */
    PLAIN,
    /** min(w, l), l &gt; 0 (Ionides, JCGS 2008). */
    CLIPPED,
    /** w where w &lt;= l, else 0, l &gt; 0 (Wang, Agarwal and Dudik, ICML 2017). */
    SWITCHED,
    /** l w / (w^2 + l), l &gt; 0 (Su et al., ICML 2020). */
    SHRUNK,
    /** w / (1 - l + l w), 0 &lt;= l &lt;= 1 (Metelli, Russo and Restelli, NeurIPS 2021). */
    SUB_GAUSSIAN
  }

  public WeightRule {
    boolean fits =
        switch (kind) {
          case NONE, PLAIN -> parameter == 0;
          case CLIPPED, SWITCHED, SHRUNK -> parameter > 0 && Double.isFinite(parameter);
          case SUB_GAUSSIAN -> parameter >= 0 && parameter <= 1;
        };
    if (!fits) {
      throw new InvalidInputException(
          "the parameter of %s weights must be %s but was %s"
              .formatted(
                  kind,
                  switch (kind) {
                    case NONE, PLAIN -> "0, for they have none,";
                    case CLIPPED, SWITCHED, SHRUNK -> "> 0 and finite";
                    case SUB_GAUSSIAN -> "in 0..1";
                  },
                  parameter));
    }
  }

  /** The weight that is used in place of w. */
  public double apply(double w) {
    return switch (kind) {
      case NONE -> 0;
      case PLAIN -> w;
      case CLIPPED -> Math.min(w, parameter);
      case SWITCHED -> w <= parameter ? w : 0;
      case SHRUNK -> parameter * w / (w * w + parameter);
      // With l = 1 and w = 0 the formula is 0 / 0; a weight of nothing stays nothing.
      case SUB_GAUSSIAN -> w == 0 ? 0 : w / (1 - parameter + parameter * w);
    };
  }

  /**
   * The largest weight that can come out.
   *
   * @param largest the largest weight that can go in
   */
  public double bound(double largest) {
    return switch (kind) {
      case NONE -> 0;
      case PLAIN -> largest;
      case CLIPPED, SWITCHED -> Math.min(largest, parameter);
      // Rises up to the square root of the parameter.
      case SHRUNK -> apply(Math.min(largest, Math.sqrt(parameter)));
      case SUB_GAUSSIAN -> apply(largest);
    };
  }
}
