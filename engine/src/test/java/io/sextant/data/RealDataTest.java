package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sextant.EventType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Counts of public data sets, as their READMEs state them. */
@Tag("data")
class RealDataTest {

  private static Path file(String name) {
    String data = System.getenv("SEXTANT_DATA");
    assumeTrue(data != null, "SEXTANT_DATA is not set to the folder with the data sets");
    Path file = Path.of(data).resolve(name);
    assumeTrue(Files.exists(file), () -> file + " is not there");
    return file;
  }

  private static EventReader open(String name, EventFormat format) {
    return EventReaders.open(file(name), format, ColumnMapping.DEFAULT);
  }

  private static CleaningResult clean(EventReader reader) {
    return new EventCleaner(CleaningOptions.defaults()).clean(reader);
  }

  private static void assertCounts(CleaningResult result, int users, int items, int rows) {
    assertThat(result.report().rejected()).isEmpty();
    assertThat(result.interactions().numUsers()).isEqualTo(users);
    assertThat(result.interactions().numItems()).isEqualTo(items);
    assertThat(result.interactions().size()).isEqualTo(rows);
  }

  @Test
  void movietweetings() {
    CleaningResult result = clean(open("movietweetings-100k/ratings.dat", EventFormat.MOVIELENS));
    assertCounts(result, 16_554, 10_506, 100_000);
    Interactions all = result.interactions();
    assertThat(all.hasTimes()).isTrue();
    // The snapshot is of 2013: the unit was found right.
    assertThat(all.minTime()).isBetween(1_361_000_000_000L, all.maxTime());
    assertThat(all.maxTime()).isLessThan(1_400_000_000_000L);
    Split split = Splitter.globalTime().split(all);
    assertThat(split.train().maxTime()).isLessThan(split.validation().minTime());
    assertThat(split.test().size()).isBetween(9_900, 10_100);

    FeatureReader.Result features =
        FeatureReader.read(
            file("movietweetings-100k/movies.dat"), all.items(), FeatureSpec.movielensMovies());
    FeatureColumn.Numeric year =
        (FeatureColumn.Numeric) features.table().column("year").orElseThrow();
    assertThat(year.count()).isGreaterThan(10_000);
    assertThat(year.mean()).isBetween(1980.0, 2013.0);
    FeatureColumn.MultiHot genres =
        (FeatureColumn.MultiHot) features.table().column("genres").orElseThrow();
    assertThat(genres.vocabulary()).contains("Drama", "Film-Noir").hasSizeLessThan(40);
  }

  @Test
  void gowalla() {
    EventCleaner.GivenSplit given =
        new EventCleaner(CleaningOptions.defaults())
            .cleanSplit(
                open("gowalla-lightgcn/train.txt.gz", EventFormat.LISTS),
                null,
                open("gowalla-lightgcn/test.txt", EventFormat.LISTS));
    assertThat(given.split().train().size()).isEqualTo(810_128);
    assertThat(given.split().train().size() + given.split().test().size()).isEqualTo(1_027_370);
    assertThat(given.split().train().numUsers()).isEqualTo(29_858);
    assertThat(given.split().train().numItems()).isEqualTo(40_981);
  }

  @Test
  void ml100k() {
    CleaningResult result = clean(open("ml-100k/ml-100k.inter", EventFormat.TSV));
    assertCounts(result, 943, 1_682, 100_000);
    assertThat(result.interactions().typeAt(0)).isEqualTo(EventType.RATING);
    FeatureTable items =
        FeatureReader.read(
                file("ml-100k/ml-100k.item"),
                result.interactions().items(),
                FeatureSpec.withHeader("\t"))
            .table();
    FeatureColumn.MultiHot genres = (FeatureColumn.MultiHot) items.column("class").orElseThrow();
    // 19 genres ("unknown" is one of them) and the unknown word.
    assertThat(genres.vocabulary()).hasSize(20);
    assertThat(items.column("movie_title")).isEmpty();
    FeatureTable users =
        FeatureReader.read(
                file("ml-100k/ml-100k.user"),
                result.interactions().users(),
                FeatureSpec.withHeader("\t"))
            .table();
    FeatureColumn.Categorical occupation =
        (FeatureColumn.Categorical) users.column("occupation").orElseThrow();
    assertThat(occupation.vocabulary()).hasSize(22);
  }

  @Test
  void beauty() {
    CleaningResult result = clean(open("s3rec-beauty/Beauty.txt", EventFormat.LISTS));
    assertCounts(result, 22_363, 12_101, 198_502);
  }

  @Test
  void taobaoWithoutHeader() {
    CleaningResult result =
        clean(
            EventReaders.open(
                file("taobao-userbehavior-4k/UserBehavior.csv"),
                EventFormat.CSV,
                ColumnMapping.parse("user=0,item=1,type=3,time=4")));
    assertThat(result.report().rowsRead()).isEqualTo(4_321);
    assertThat(result.report().rejected().keySet())
        .isSubsetOf(RejectReason.DUPLICATE_EVENT, RejectReason.TIME_TOO_EARLY);
    assertThat(result.interactions().hasTimes()).isTrue();
  }

  @Test
  void grocery() {
    CleaningResult result = clean(open("grocery-rechorus/train.csv", EventFormat.CSV));
    assertThat(result.interactions().numUsers()).isEqualTo(14_681);
    assertThat(result.report().rejected()).isEmpty();
  }

  @Test
  void latin1() {
    FeatureSpec utf8 = FeatureSpec.movielensMovies();
    FeatureSpec latin1 =
        new FeatureSpec(
            utf8.separator(),
            false,
            null,
            utf8.columns(),
            StandardCharsets.ISO_8859_1,
            utf8.maxLineBytes());
    FeatureTable table =
        FeatureReader.read(file("ml-1m/original/movies.dat"), IdIndex.of(List.of("1")), latin1)
            .table();
    assertThat(((FeatureColumn.Numeric) table.column("year").orElseThrow()).values())
        .containsExactly(1995f);
  }
}
