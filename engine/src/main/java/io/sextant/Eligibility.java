package io.sextant;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which items a list may hold, beside that an item must be switched on. All demands hold together,
 * and exactly: a list is as long as asked for if there are that many such items. Ids that no item
 * has are of no effect.
 *
 * <p>Thread safety: immutable.
 *
 * @param includeSeen whether items of the user's history may come again
 * @param deny ids that must not appear
 * @param allow the only ids that may appear; null for all
 * @param filters demands on attributes
 */
public record Eligibility(
    boolean includeSeen,
    Set<String> deny,
    @Nullable Set<String> allow,
    List<AttributeFilter> filters) {

  /** All items that the user has not seen. */
  public static final Eligibility UNSEEN = new Eligibility(false, Set.of(), null, List.of());

  public Eligibility {
    deny = Set.copyOf(deny);
    allow = allow == null ? null : Set.copyOf(allow);
    filters = List.copyOf(filters);
  }

  /** The same, and items of the history may come again. */
  public Eligibility withSeen() {
    return new Eligibility(true, deny, allow, filters);
  }

  /** The same without these items instead of the ones denied so far. */
  public Eligibility without(Set<String> ids) {
    return new Eligibility(includeSeen, ids, allow, filters);
  }

  /** The same among these items only. */
  public Eligibility among(Set<String> ids) {
    return new Eligibility(includeSeen, deny, ids, filters);
  }

  /** The same with one more demand. */
  public Eligibility and(AttributeFilter filter) {
    List<AttributeFilter> all = new ArrayList<>(filters);
    all.add(filter);
    return new Eligibility(includeSeen, deny, allow, all);
  }
}
