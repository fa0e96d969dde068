package io.sextant.strategy;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.store.TensorSource;
import io.sextant.train.CheckpointOptions;
import io.sextant.train.StepHook;
import io.sextant.train.TrainingListener;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a strategy is fitted with.
 *
 * @param device where it computes and where its weights lie
 * @param train interactions to learn from, and the features of users and items
 * @param validation interactions over the same users and items that stop the training; null for
 *     none
 * @param hooks what steers the training steps
 * @param listener hears the progress
 * @param checkpoints where training saves itself; null for nowhere
 * @param start values, by parameter name, at which parameters start instead of at random: given
 *     vectors such as {@code item.id} (I, D), or the tensors of an earlier model over the same
 *     users and items; only strategies that are trained by gradients use it
 */
public record FitContext(
    Device device,
    Dataset train,
    @Nullable Interactions validation,
    List<StepHook> hooks,
    TrainingListener listener,
    @Nullable CheckpointOptions checkpoints,
    List<TensorSource> start) {

  /** Fits to the data on the device, without validation, listener or checkpoints. */
  public static FitContext of(Device device, Dataset train) {
    return new FitContext(device, train, null, List.of(), TrainingListener.NONE, null, List.of());
  }

  /** The same with validation data. */
  public FitContext withValidation(@Nullable Interactions validation) {
    return new FitContext(device, train, validation, hooks, listener, checkpoints, start);
  }

  /** The same with other interactions to learn from. */
  public FitContext withInteractions(Interactions interactions) {
    Dataset data = train.withInteractions(interactions);
    return new FitContext(device, data, validation, hooks, listener, checkpoints, start);
  }

  /** The same with what steers the training steps. */
  public FitContext withHooks(List<StepHook> hooks) {
    return new FitContext(
        device, train, validation, List.copyOf(hooks), listener, checkpoints, start);
  }

  /** The same with a listener. */
  public FitContext withListener(TrainingListener listener) {
    return new FitContext(device, train, validation, hooks, listener, checkpoints, start);
  }

  /** The same with checkpoints. */
  public FitContext withCheckpoints(@Nullable CheckpointOptions checkpoints) {
    return new FitContext(device, train, validation, hooks, listener, checkpoints, start);
  }

  /** The same with values at which parameters start. */
  public FitContext withStart(List<TensorSource> start) {
    return new FitContext(
        device, train, validation, hooks, listener, checkpoints, List.copyOf(start));
  }
}
