package io.sextant.cli;

import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingProgress;
import java.util.Locale;
import java.util.Map;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/** Shows training on stderr: a bar with rate and time left on a terminal, else a line an epoch. */
final class ConsoleListener implements TrainingListener, AutoCloseable {

  private final String name;
  private @Nullable ProgressBar bar;

  ConsoleListener(String name) {
    this.name = name;
  }

  @Override
  public void onStep(TrainingProgress progress) {
    if (System.console() == null) {
      return;
    }
    ProgressBar shown = bar;
    if (shown == null) {
      shown =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(progress.totalSteps())
              .setUnit(" steps", 1)
              .showSpeed()
              .build();
      bar = shown;
    }
    shown.stepTo(progress.step());
  }

  @Override
  public void onEpoch(int epoch, double meanLoss, Map<String, Double> validation, boolean best) {
    System.err.printf(
        Locale.ROOT, "%s: epoch %d, loss %.4f %s%n", name, epoch + 1, meanLoss, validation);
  }

  @Override
  public void close() {
    ProgressBar shown = bar;
    if (shown != null) {
      shown.close();
    }
  }
}
