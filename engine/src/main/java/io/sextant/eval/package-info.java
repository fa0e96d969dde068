/**
 * Metrics with their uncertainty: rankings ({@link io.sextant.eval.RankingEvaluation}), predictions
 * ({@link io.sextant.eval.PredictionMetrics}, {@link io.sextant.eval.RatingMetrics}), catalogues
 * ({@link io.sextant.eval.CatalogueMetrics}), online counts ({@link
 * io.sextant.eval.OnlineMetrics}), and bootstrap intervals over users ({@link
 * io.sextant.eval.Bootstrap}). Letters: U users, I items, K list length, n relevant items of a
 * user.
 */
@NullMarked
package io.sextant.eval;

import org.jspecify.annotations.NullMarked;
