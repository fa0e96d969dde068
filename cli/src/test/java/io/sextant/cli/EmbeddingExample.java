package io.sextant.cli;

import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.serve.Recommender;
import io.sextant.serve.RecommenderOptions;
import java.nio.file.Path;
import java.util.List;

/** The engine embedded in a plain main: {@code EmbeddingExample MODEL USER}. */
public final class EmbeddingExample {

  private EmbeddingExample() {}

  public static void main(String[] args) {
    run(Path.of(args[0]), args[1]).forEach(System.out::println);
  }

  /** The user's list, after the best item of the first one was clicked. */
  static List<String> run(Path model, String user) {
    try (Recommender recommender = Recommender.open(model, RecommenderOptions.defaults())) {
      RecommendationRequest request = RecommendationRequest.forUser(user).k(10).build();
      Recommendations list = recommender.recommend(request);
      recommender.recordEvent(user, list.itemIds().get(0));
      return recommender.recommend(request).itemIds();
    }
  }
}
