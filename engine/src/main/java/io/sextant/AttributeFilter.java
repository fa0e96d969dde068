package io.sextant;

import java.util.Set;

/**
 * A demand on an attribute of items, as {@code country in {DE, AT}} or {@code stock not in {no}}.
 *
 * <p>Thread safety: immutable.
 *
 * @param attribute its name
 * @param values of which an item must have one, or none
 * @param negated whether an item must have none of them; an item without the attribute has none
 */
public record AttributeFilter(String attribute, Set<String> values, boolean negated) {

  public AttributeFilter {
    values = Set.copyOf(values);
    if (attribute.isEmpty()) {
      throw new InvalidInputException("a filter needs the name of an attribute");
    }
  }

  /** Items that have one of the values. */
  public static AttributeFilter in(String attribute, String... values) {
    return new AttributeFilter(attribute, Set.of(values), false);
  }

  /** Items that have none of the values. */
  public static AttributeFilter notIn(String attribute, String... values) {
    return new AttributeFilter(attribute, Set.of(values), true);
  }
}
