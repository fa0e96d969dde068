/**
 * The meta-strategy: a pool of base strategies, mixed for each user by a policy network. Letters: U
 * users, B users of a batch, I items, M strategies, D the sum of the strategies' dimensions, N
 * candidates of a user, K length of a list.
 */
@NullMarked
package io.sextant.meta;

import org.jspecify.annotations.NullMarked;
