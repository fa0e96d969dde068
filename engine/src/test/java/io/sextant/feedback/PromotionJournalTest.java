package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromotionJournalTest {

  @TempDir private Path folder = Path.of("");

  private static PromotionJournal.Entry entry(String candidate, PromotionJournal.Step step) {
    PromotionDecision decision =
        new PromotionDecision(
            candidate,
            "old",
            2,
            0.01,
            PromotionDecision.Outcome.TOO_FEW_ROUNDS,
            "few \"rounds\"\nin two lines",
            3,
            Double.NaN,
            Double.NaN,
            null);
    return new PromotionJournal.Entry(
        7, step, candidate, "old", "why", step == PromotionJournal.Step.JUDGED ? decision : null);
  }

  @Test
  void keepsStepsInOrderAndCountsLooks() {
    Path file = folder.resolve("j");
    PromotionJournal journal = PromotionJournal.open(file);
    assertThat(journal.read()).isEmpty();
    List<PromotionJournal.Entry> steps =
        List.of(
            entry("a", PromotionJournal.Step.JUDGED),
            entry("a", PromotionJournal.Step.JUDGED),
            entry("b", PromotionJournal.Step.JUDGED),
            entry("a", PromotionJournal.Step.PROMOTED));
    steps.forEach(journal::append);
    assertThat(PromotionJournal.open(file).read()).isEqualTo(steps);
    assertThat(journal.looks("a")).isEqualTo(2);
    assertThat(journal.looks("c")).isZero();
  }

  @Test
  void anUnfinishedLineIsCutOff() throws IOException {
    Path file = folder.resolve("j");
    PromotionJournal.open(file).append(entry("a", PromotionJournal.Step.JUDGED));
    Files.writeString(file, "{\"timeMillis\":8,\"st", StandardOpenOption.APPEND);
    PromotionJournal journal = PromotionJournal.open(file);
    journal.append(entry("b", PromotionJournal.Step.PROMOTED));
    assertThat(journal.read())
        .extracting(PromotionJournal.Entry::candidate)
        .containsExactly("a", "b");
  }

  @Test
  void refusesOtherFiles() throws IOException {
    Path file = Files.writeString(folder.resolve("x"), "{}\nfoo\n");
    assertThatThrownBy(() -> PromotionJournal.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("line 1 is no journal");
    assertThat(Files.readString(file)).isEqualTo("{}\nfoo\n");
  }
}
