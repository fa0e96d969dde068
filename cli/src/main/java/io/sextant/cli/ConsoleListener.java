package io.sextant.cli;

import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingProgress;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Shows trainings on stderr, one after the other: {@link Progress}, and a line an epoch. */
final class ConsoleListener implements TrainingListener, AutoCloseable {

  private final String name;
  private @Nullable Progress progress;
  private long step;
  private long totalSteps;

  ConsoleListener(String name) {
    this.name = name;
  }

  @Override
  public void onStep(TrainingProgress now) {
    Progress shown = progress;
    if (shown != null && (now.step() <= step || now.totalSteps() != totalSteps)) {
      // Another training, as of the same model with learned weights.
      shown.close();
      shown = null;
    }
    if (shown == null) {
      shown = new Progress(name, "steps", now.step() - 1, now.totalSteps());
      progress = shown;
    }
    step = now.step();
    totalSteps = now.totalSteps();
    shown.to(now.step());
  }

  @Override
  public void onEpoch(int epoch, double meanLoss, Map<String, Double> validation, boolean best) {
    String line =
        String.format(
            Locale.ROOT, "%s: epoch %d, loss %.4f %s", name, epoch + 1, meanLoss, validation);
    Progress shown = progress;
    if (shown == null) {
      System.err.println(line);
    } else {
      shown.line(line);
    }
  }

  @Override
  public void onNotice(String notice) {
    Progress shown = progress;
    if (shown == null) {
      System.err.println(notice);
    } else {
      shown.line(notice);
    }
  }

  @Override
  public void close() {
    Progress shown = progress;
    if (shown != null) {
      shown.close();
    }
  }
}
