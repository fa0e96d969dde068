/**
 * The DJL blocks of which models are built: embedding tables, user and item encoders, the two-tower
 * model, the sequence encoder and the policy network. Shapes use the letters of {@link
 * io.sextant.tensor}.
 *
 * <p>A forward pass is a pure function of (parameter values, inputs): values come from the {@link
 * ai.djl.training.ParameterStore} that is handed in, and {@link io.sextant.nn.ParameterValues} can
 * put other values in the place of a block's own: gathered rows in training, shifted parameters in
 * policy-guided training.
 */
@NullMarked
package io.sextant.nn;

import org.jspecify.annotations.NullMarked;
