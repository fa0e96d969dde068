package io.sextant.train;

import io.sextant.tensor.RowSet;
import java.util.Map;

/** What a training step reads. It lives in the step's scope. */
public interface Batch {

  /** How many examples, B. */
  int size();

  /** The weight of each example (B); 1 unless the data say otherwise. */
  float[] weights();

  /** For each embedding table that the batch reads, by parameter name: the distinct rows. */
  Map<String, RowSet> rows();
}
