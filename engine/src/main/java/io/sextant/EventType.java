package io.sextant;

import java.util.Locale;
import java.util.Optional;

/** What a user did with an item, from the weakest sign of interest to the strongest. */
public enum EventType {
  VIEW(1f),
  CLICK(1f),
  CART(2f),
  PURCHASE(3f),
  /** An explicit judgement; its strength is the event's value. */
  RATING(1f);

  private final float defaultWeight;

  EventType(float defaultWeight) {
    this.defaultWeight = defaultWeight;
  }

  /** The weight of an interaction of this type unless the options say otherwise. */
  public float defaultWeight() {
    return defaultWeight;
  }

  /** Reads a type by name, upper or lower case; common synonyms (buy, pv, fav ...) are known. */
  public static Optional<EventType> parse(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "view", "pv", "impression", "play", "listen" -> Optional.of(VIEW);
      case "click", "clicks" -> Optional.of(CLICK);
      case "cart", "carts", "addtocart", "add_to_cart", "fav" -> Optional.of(CART);
      case "purchase", "buy", "order", "orders", "transaction" -> Optional.of(PURCHASE);
      case "rating", "rate" -> Optional.of(RATING);
      default -> Optional.empty();
    };
  }
}
