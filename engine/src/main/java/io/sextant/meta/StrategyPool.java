package io.sextant.meta;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import io.sextant.InvalidInputException;
import io.sextant.store.StoredStrategy;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Strategies;
import io.sextant.strategy.Strategy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fitted strategies over one catalogue, in a fixed order. A strategy that fails to fit is left out
 * with a warning; the others work without it.
 *
 * <p>Thread safety: immutable; {@link #close} frees the strategies, after all users have returned.
 */
public final class StrategyPool implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(StrategyPool.class);

  private final List<Member> members;
  private final List<String> warnings;
  private final boolean lent;

  /**
   * A strategy of the pool.
   *
   * @param name unique in the pool
   * @param fitted what it has learned; owned by the pool
   * @param fitSeconds how long the fit took; 0 if it was loaded
   */
  public record Member(String name, FittedStrategy fitted, double fitSeconds) {}

  /**
   * A pool of strategies that are fitted already, which it owns from now on.
   *
   * @throws InvalidInputException if there is none, two have one name, or their catalogues differ
   */
  public StrategyPool(List<Member> members) {
    this(members, List.of());
  }

  private StrategyPool(List<Member> members, List<String> warnings) {
    this(members, warnings, false);
  }

  private StrategyPool(List<Member> members, List<String> warnings, boolean lent) {
    if (members.isEmpty()) {
      throw new InvalidInputException(
          "a pool needs at least one strategy that could be fitted" + because(warnings));
    }
    Set<String> names = new HashSet<>();
    int numItems = members.get(0).fitted().numItems();
    for (Member member : members) {
      if (!names.add(member.name())) {
        throw new InvalidInputException(
            "two strategies of the pool are called '%s': give each its own name"
                .formatted(member.name()));
      }
      if (member.fitted().numItems() != numItems) {
        throw new InvalidInputException(
            "strategy '%s' scores %d items but '%s' scores %d: fit all to the same data"
                .formatted(
                    member.name(), member.fitted().numItems(), members.get(0).name(), numItems));
      }
    }
    this.members = List.copyOf(members);
    this.warnings = List.copyOf(warnings);
    this.lent = lent;
  }

  /**
   * Fits strategies one after the other.
   *
   * @param contexts what each is fitted with
   * @throws InvalidInputException if none could be fitted
   */
  public static StrategyPool fit(
      List<Strategy> strategies, Function<Strategy, FitContext> contexts) {
    List<Member> members = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    try {
      for (Strategy strategy : strategies) {
        long start = System.nanoTime();
        try {
          FittedStrategy fitted = strategy.fit(contexts.apply(strategy));
          members.add(new Member(strategy.name(), fitted, (System.nanoTime() - start) * 1e-9));
        } catch (InvalidInputException
            | OutOfMemoryError
            | ArithmeticException
            | EngineException e) {
          String reason = e.getMessage() == null ? e.toString() : e.getMessage();
          String warning = "strategy '%s' is left out: %s".formatted(strategy.name(), reason);
          LOG.warn("{}", warning);
          warnings.add(warning);
        }
      }
      return new StrategyPool(members, warnings);
    } catch (RuntimeException | Error e) {
      members.forEach(member -> member.fitted().close());
      throw e;
    }
  }

  /**
   * Loads strategies of a bundle onto a device, to be closed with the pool.
   *
   * @throws InvalidInputException if one of them cannot be restored; then nothing native stays
   *     behind
   */
  public static StrategyPool load(List<StoredStrategy> stored, Device device) {
    List<Member> members = new ArrayList<>();
    try {
      for (StoredStrategy strategy : stored) {
        members.add(new Member(strategy.name(), Strategies.load(strategy, device), 0));
      }
      return new StrategyPool(members);
    } catch (RuntimeException | Error e) {
      members.forEach(member -> member.fitted().close());
      throw e;
    }
  }

  /** The strategies in order. */
  public List<Member> members() {
    return members;
  }

  /** How many strategies there are, M. */
  public int size() {
    return members.size();
  }

  /** The strategies' names in order. */
  public List<String> names() {
    return members.stream().map(Member::name).toList();
  }

  /**
   * The strategies of these names, in the order of this pool, which still owns them: closing the
   * smaller pool does nothing.
   *
   * @throws InvalidInputException if there is no strategy of a name, or no name
   */
  public StrategyPool only(Collection<String> names) {
    for (String name : names) {
      if (!names().contains(name)) {
        throw new InvalidInputException(
            "the pool has no strategy '%s' (it has %s)".formatted(name, names()));
      }
    }
    return new StrategyPool(
        members.stream().filter(member -> names.contains(member.name())).toList(), warnings, true);
  }

  /** The size of the catalogue, I. */
  public int numItems() {
    return members.get(0).fitted().numItems();
  }

  /** Why strategies were left out, a sentence each. */
  public List<String> warnings() {
    return warnings;
  }

  /** Where the dense parts lie. */
  Device device() {
    return members.stream()
        .filter(member -> member.fitted().dense().isPresent())
        .map(member -> member.fitted().device())
        .findFirst()
        .orElse(Device.cpu());
  }

  @Override
  public void close() {
    if (!lent) {
      members.forEach(member -> member.fitted().close());
    }
  }

  private static String because(List<String> warnings) {
    return warnings.isEmpty() ? "" : ": " + String.join("; ", warnings);
  }
}
