/**
 * What comes back from users: the decision log ({@link io.sextant.feedback.DecisionLog}),
 * exploration with exact propensities ({@link io.sextant.feedback.SoftmaxArms}, {@link
 * io.sextant.feedback.SlateSampler}, {@link io.sextant.feedback.StratifiedSampler}), a served log
 * as rounds and slates ({@link io.sextant.feedback.ServedLog}), off-policy evaluation ({@link
 * io.sextant.feedback.OffPolicyEvaluator}, {@link io.sextant.feedback.ExposureEstimator}), policy
 * learning ({@link io.sextant.feedback.PolicyLearner}) and promotion ({@link
 * io.sextant.feedback.PromotionGate}, {@link io.sextant.feedback.PromotionJournal}).
 *
 * <p>Letters: n rounds of a log, K actions, L slots of a slate, d numbers of a context. Of a round,
 * x is its context, a the action that was drawn, r its reward, p the probability with which the
 * logging policy drew a, and w = target(a|x) / p its weight.
 */
@NullMarked
package io.sextant.feedback;

import org.jspecify.annotations.NullMarked;
