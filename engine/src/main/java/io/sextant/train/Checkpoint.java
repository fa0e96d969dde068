package io.sextant.train;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import io.sextant.InvalidInputException;
import io.sextant.store.SafetensorsFile;
import io.sextant.store.SafetensorsWriter;
import io.sextant.store.TensorSource;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint is one safetensors file: the tensors of {@link ModelParameters} and, in its header,
 * the position and the fingerprint of the run. It is replaced whole or not at all.
 */
final class Checkpoint {

  private static final Gson GSON = new GsonBuilder().serializeSpecialFloatingPointValues().create();

  private Checkpoint() {}

  static void save(
      CheckpointOptions options,
      ModelParameters parameters,
      List<ExampleWeigher> weighers,
      Trainer.TrainingState state) {
    Map<String, String> metadata = new LinkedHashMap<>(parameters.counters());
    List<TensorSource> tensors = new ArrayList<>(parameters.sources());
    for (ExampleWeigher weigher : weighers) {
      metadata.putAll(weigher.counters());
      tensors.addAll(weigher.sources());
    }
    metadata.put("sextant.fingerprint", options.fingerprint());
    metadata.put("sextant.state", GSON.toJson(state));
    SafetensorsWriter.writeAtomically(options.file(), tensors, metadata);
  }

  static Optional<Trainer.TrainingState> load(
      CheckpointOptions options, ModelParameters parameters, List<ExampleWeigher> weighers) {
    if (!Files.exists(options.file())) {
      return Optional.empty();
    }
    try (SafetensorsFile file = SafetensorsFile.open(options.file())) {
      Map<String, String> metadata = file.metadata();
      String fingerprint = metadata.getOrDefault("sextant.fingerprint", "none");
      if (!fingerprint.equals(options.fingerprint())) {
        throw new InvalidInputException(
            ("checkpoint %s is of another run: its data, recipe or engine differ (%s, not %s);"
                    + " train without --resume, or remove the file")
                .formatted(options.file(), fingerprint, options.fingerprint()));
      }
      Trainer.TrainingState state =
          GSON.fromJson(metadata.get("sextant.state"), Trainer.TrainingState.class);
      if (state == null) {
        throw new InvalidInputException("checkpoint " + options.file() + " holds no position");
      }
      parameters.restore(file, metadata);
      for (ExampleWeigher weigher : weighers) {
        weigher.restore(file, metadata);
      }
      return Optional.of(state);
    } catch (JsonSyntaxException e) {
      throw new InvalidInputException(
          "checkpoint " + options.file() + " has an unreadable position: " + e.getMessage(), e);
    }
  }
}
