package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.store.BundleWriter;
import io.sextant.store.TensorSource;
import io.sextant.tensor.Scope;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stranger may hand in, seen from the command line: one line that helps, and exit 2. */
class BadInputTest {

  @TempDir Path folder;

  private Cli.Result train(String events, String... more) throws IOException {
    return train(events.getBytes(StandardCharsets.UTF_8), more);
  }

  private Cli.Result train(byte[] events, String... more) throws IOException {
    Path file = Files.write(folder.resolve("events.csv"), events);
    List<String> command = new ArrayList<>(List.of("train", "--device", "cpu", "--recipe"));
    command.add(Cli.recipe(folder).toString());
    command.addAll(List.of("--events", file.toString()));
    command.addAll(List.of("--out", folder.resolve("model").toString()));
    command.addAll(List.of(more));
    return Cli.run(command.toArray(String[]::new));
  }

  private void assertRefused(Cli.Result result, int exit, String... parts) {
    assertThat(result.exit()).as(result.err()).isEqualTo(exit);
    assertThat(result.complaint().lines()).as(result.err()).hasSize(1);
    assertThat(result.complaint()).contains(parts);
    assertThat(folder.resolve("model")).doesNotExist();
  }

  @Test
  void theWrongDelimiter() throws IOException {
    assertRefused(train("user;item;timestamp\nu;i;1600000000\n"), 2, "events.csv, line 1", "';'");
  }

  @Test
  void notUtf8() throws IOException {
    byte[] latin = "user,item\nu,1\nJosé,2\n".getBytes(StandardCharsets.ISO_8859_1);
    assertRefused(train(latin), 2, "events.csv, line 3", "UTF-8", "iconv");
  }

  @Test
  void aLineWithoutEnd() throws IOException {
    String events = "user,item\nu," + "x".repeat(20_000_000);
    assertRefused(train(events), 2, "events.csv, line 2 is longer than", "line breaks");
  }

  @Test
  void valuesAndTimesThatCannotBeAreRejectedAndTheRestIsTrainedOn() throws IOException {
    String good = Files.readString(Cli.csv(folder));
    Path rejected = folder.resolve("rejected.csv");
    Cli.Result result =
        train(
            good
                + "u1,i1,NaN,1600000000\n"
                + "u1,i1,Infinity,1600000000\n"
                + "u1,i1,-inf,1600000000\n"
                + "u1,i1,3,-1600000000\n",
            "--rejected",
            rejected.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    List<String> lines = Files.readAllLines(rejected);
    assertThat(lines).hasSize(5);
    assertThat(lines.subList(1, 5).stream().filter(l -> l.contains("NON_FINITE_VALUE"))).hasSize(3);
    assertThat(lines).anyMatch(line -> line.contains("TIME") && line.contains("-1600000000"));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 6", "6, 1", "2, 1", "1, 2"})
  void aSingleUserOrItem(int users, int items) throws IOException {
    StringBuilder events = new StringBuilder("user,item,timestamp\n");
    for (int user = 0; user < users; user++) {
      for (int item = 0; item < items; item++) {
        events.append("u%d,i%d,%d%n".formatted(user, item, 1_600_000_000 + item * 86_400));
      }
    }
    Cli.Result result = train(events.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    Path history = Files.writeString(folder.resolve("history.txt"), "unknown\n");
    Cli.Result everything =
        Cli.run(
            "recommend",
            "--device",
            "cpu",
            "--model",
            folder.resolve("model").toString(),
            "--history",
            history.toString(),
            "-k",
            "100");
    assertThat(everything.exit()).as(everything.err()).isZero();
    assertThat(everything.out().lines()).as("k is larger than the catalogue").hasSize(items);
  }

  @Test
  void aHistoryOfEverythingLeavesNothing() throws IOException {
    assertThat(train(Files.readString(Cli.csv(folder))).exit()).isZero();
    StringBuilder all = new StringBuilder();
    for (int item = 0; item < 25; item++) {
      all.append('i').append(item).append('\n');
    }
    Path history = Files.writeString(folder.resolve("history.txt"), all);
    Cli.Result result =
        Cli.run(
            "recommend",
            "--model",
            folder.resolve("model").toString(),
            "--history",
            history.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(result.out()).isEmpty();
  }

  @Test
  void resultsToAFullDisk() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.isWritable(full), "there is no /dev/full");
    Path json = Files.createSymbolicLink(folder.resolve("result.json"), full);
    Cli.Result result = Cli.run("doctor", "--device", "cpu", "--json", json.toString());
    assertThat(result.exit()).as(result.err()).isEqualTo(2);
    assertThat(result.complaint()).contains("cannot be written to " + json, "--json");
    assertThat(Files.readSymbolicLink(json)).isEqualTo(full);
    // A regular file is written beside its place first, and a half one is not left there.
    Path half = Files.createSymbolicLink(folder.resolve(".other.json.tmp"), full);
    Path other = folder.resolve("other.json");
    assertThat(Cli.run("doctor", "--device", "cpu", "--json", other.toString()).exit())
        .isEqualTo(2);
    assertThat(other).doesNotExist();
    assertThat(Files.exists(half, LinkOption.NOFOLLOW_LINKS)).isFalse();
  }

  @Test
  void resultsToWhatIsNoRegularFileDoNotReplaceIt() throws IOException {
    Path nothing = Path.of("/dev/null");
    assumeTrue(Files.isWritable(nothing), "there is no /dev/null");
    Path json = Files.createSymbolicLink(folder.resolve("result.json"), nothing);
    assertThat(Cli.run("doctor", "--device", "cpu", "--json", json.toString()).exit()).isZero();
    assertThat(Files.readSymbolicLink(json)).isEqualTo(nothing);
  }

  @Test
  void rejectedRowsToAFullDisk() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.isWritable(full), "there is no /dev/full");
    Path rejected = Files.createSymbolicLink(folder.resolve("rejected.csv"), full);
    assertRefused(
        train("user,item\nu,1\n,2\nu,3\n", "--rejected", rejected.toString()),
        1,
        "rejected rows cannot be written to " + rejected,
        "make room");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "{", "{\"i\": {}}", ""})
  void titlesThatAreNoneAreRefusedAndLeaveNothingOpen(String titles) {
    long scopes = Scope.liveScopes();
    Path bundle = bundle(titles);
    assertThatThrownBy(() -> LoadedModel.open(bundle, Device.cpu(), null))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("titles");
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  @Test
  void titlesThatAreNullAreNoTitles() {
    try (LoadedModel model = LoadedModel.open(bundle("null"), Device.cpu(), null)) {
      assertThat(model.title("i")).isEqualTo("i");
    }
  }

  private Path bundle(String titles) {
    Path bundle = folder.resolve("bundle");
    new BundleWriter()
        .strategy(
            "popularity",
            "popularity",
            "{}",
            List.of(TensorSource.of("items.vectors", new float[] {1}, 1, 1)))
        .users(List.of("u"))
        .items(List.of("i"))
        .document(Bundles.TITLES, titles)
        .write(bundle);
    return bundle;
  }
}
