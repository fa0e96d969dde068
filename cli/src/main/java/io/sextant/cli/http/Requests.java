package io.sextant.cli.http;

import io.sextant.AttributeFilter;
import io.sextant.Diversity;
import io.sextant.Eligibility;
import io.sextant.EventType;
import io.sextant.NewItem;
import io.sextant.RecommendationRequest;
import io.sextant.SimilarItemsRequest;
import io.sextant.feedback.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The bodies of requests. What is left out has the engine's default. */
final class Requests {

  private Requests() {}

  /** {@code POST /v1/recommend} and {@code POST /v1/explain}. */
  record Recommend(
      @Nullable String user,
      @Nullable List<String> history,
      @Nullable Integer k,
      @Nullable Boolean includeSeen,
      @Nullable Set<String> deny,
      @Nullable Set<String> allow,
      @Nullable List<Filter> filters,
      @Nullable Variety diversity,
      @Nullable Integer timeoutMs,
      @Nullable Boolean parts,
      @Nullable Boolean log) {

    RecommendationRequest request() {
      if (user == null && history == null) {
        throw new HttpFailure(400, "say for whom: \"user\" or \"history\"");
      }
      return new RecommendationRequest(
          user,
          history,
          k == null ? RecommendationRequest.DEFAULT_K : k,
          new Eligibility(
              Boolean.TRUE.equals(includeSeen),
              deny == null ? Set.of() : deny,
              allow,
              filters == null ? List.of() : filters.stream().map(Filter::filter).toList()),
          diversity == null ? Diversity.NONE : diversity.diversity(),
          timeoutMs == null ? null : Duration.ofMillis(timeoutMs),
          Boolean.TRUE.equals(parts),
          log);
    }
  }

  /** A demand on an attribute. */
  record Filter(@Nullable String attribute, @Nullable Set<String> values, @Nullable Boolean not) {

    AttributeFilter filter() {
      return new AttributeFilter(
          required("attribute", attribute), required("values", values), Boolean.TRUE.equals(not));
    }
  }

  /** How a list is varied. */
  record Variety(
      @Nullable String attribute, @Nullable Integer maxPerValue, @Nullable Double relevance) {

    Diversity diversity() {
      return new Diversity(
          attribute,
          maxPerValue == null ? Diversity.NONE.maxPerValue() : maxPerValue,
          relevance == null ? Diversity.NONE.relevance() : relevance);
    }
  }

  /** {@code POST /v1/similar}. */
  record Similar(@Nullable String item, @Nullable Integer k) {

    SimilarItemsRequest request() {
      return SimilarItemsRequest.of(
          required("item", item), k == null ? RecommendationRequest.DEFAULT_K : k);
    }
  }

  /** {@code POST /v1/events}. */
  record Happened(@Nullable String user, @Nullable String item) {}

  /** {@code POST /v1/outcomes}: what came of a decision, now. */
  record CameOf(
      @Nullable String decision,
      @Nullable String item,
      @Nullable String type,
      @Nullable Double value,
      @Nullable String key) {

    Outcome outcome(long nowMillis) {
      String kind = required("type", type);
      return new Outcome(
          required("decision", decision),
          required("item", item),
          EventType.parse(kind)
              .orElseThrow(
                  () ->
                      new HttpFailure(
                          400, "\"type\" must be view, click, cart, purchase or rating")),
          value == null ? 1 : value,
          nowMillis,
          key == null ? "" : key);
    }
  }

  /** {@code POST /v1/items/available}. */
  record Availability(@Nullable String item, @Nullable Boolean available) {}

  /** {@code POST /v1/items}. */
  record Added(
      @Nullable String item,
      @Nullable Map<String, Set<String>> attributes,
      @Nullable List<String> like) {

    NewItem newItem() {
      return new NewItem(
          required("item", item),
          attributes == null ? Map.of() : attributes,
          like == null ? List.of() : like);
    }
  }

  /** A field that must be there. */
  static <T> T required(String name, @Nullable T value) {
    if (value == null) {
      throw new HttpFailure(400, "the field \"" + name + "\" is missing");
    }
    return value;
  }
}
