package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingExampleTest {

  @TempDir Path folder;

  @Test
  void runs() throws Exception {
    Path model = Trained.model(folder);
    assertThat(EmbeddingExample.run(model, "u1")).hasSize(10).doesNotHaveDuplicates();
  }
}
