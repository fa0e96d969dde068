package io.sextant.train;

import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.Scope;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A hook that weighs examples by their number alone, or sets the step sizes, so that steps in
 * closed form can be steered as well as recorded ones. It belongs to one run, whose checkpoints
 * hold its state.
 */
interface ExampleWeigher extends StepHook {

  /**
   * The run begins.
   *
   * @param stepsPerEpoch how many batches an epoch has
   */
  void start(Scope session, LearningTask<?> task, ModelParameters parameters, int stepsPerEpoch);

  /**
   * Called before a step.
   *
   * @param factor the schedule's factor on the step sizes
   * @return (P) weights of the rows that the examples learn from, on top of their own, or null for
   *     none; see {@link InteractionTask#rowsOf}
   */
  float @Nullable [] weights(int[] examples, long step, int epoch, float factor);

  /**
   * Called in its place before a step that stays on the device: whatever is to be learned before
   * the step is learned, with the host's help.
   *
   * @param factor the schedule's factor on the step sizes
   * @return what gives the weights of this step, or null for none
   */
  ResidentForm.@Nullable Weigher onDevice(int[] examples, long step, int epoch, float factor);

  /** An epoch has ended. */
  void endEpoch();

  /** The run has ended after so many steps; the model stands at its best. */
  void finish(long steps);

  /** Tensors to be saved. */
  List<TensorSource> sources();

  /** What else is to be saved. */
  Map<String, String> counters();

  /** Restores what was saved. */
  void restore(StoredTensors stored, Map<String, String> counters);
}
