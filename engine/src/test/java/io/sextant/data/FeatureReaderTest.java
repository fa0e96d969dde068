package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.data.FeatureSpec.Kind;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("StringConcatToTextBlock") // Tabs and line ends are part of what is tested.
class FeatureReaderTest {

  private static final IdIndex IDS = IdIndex.of(List.of("1", "2", "3"));

  private static FeatureReader.Result read(FeatureSpec spec, String content) {
    return read(spec, content, IDS);
  }

  private static FeatureReader.Result read(FeatureSpec spec, String content, IdIndex ids) {
    return FeatureReader.read(
        new LineReader(
            new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)),
            "f.txt",
            spec.charset(),
            spec.maxLineBytes()),
        ids,
        spec);
  }

  @Test
  void movielensMovies() {
    FeatureReader.Result result =
        read(
            FeatureSpec.movielensMovies(),
            "3::Heat (1995)::Action|Crime|Action\n9::Other (1990)::Drama\n1::No year::\n"
                + "3::Again (1996)::Drama\n");
    FeatureTable table = result.table();
    assertThat(table.numRows()).isEqualTo(3);
    FeatureColumn.Numeric year = (FeatureColumn.Numeric) table.column("year").orElseThrow();
    assertThat(year.values()).containsExactly(Float.NaN, Float.NaN, 1995f);
    FeatureColumn.MultiHot genres = (FeatureColumn.MultiHot) table.column("genres").orElseThrow();
    assertThat(genres.vocabulary()).containsExactly("", "Action", "Crime");
    assertThat(genres.offsets()).containsExactly(0, 0, 0, 2);
    assertThat(genres.codes()).containsExactly(1, 2);
    assertThat(genres.codeOf("Crime")).isEqualTo(2);
    assertThat(genres.codeOf("Drama")).isZero();
    assertThat(result.notes())
        .containsExactlyInAnyOrder(
            "1 rows of f.txt are of entities without interactions",
            "1 rows of f.txt have an id that was there before",
            "1 entities have no row in f.txt");
  }

  @Test
  void typedHeaderSaysTheKinds() {
    FeatureTable table =
        read(
                FeatureSpec.withHeader("\t"),
                "item_id:token\tclass:token_seq\tprice:float\tv:float_seq\tcolour:token\n"
                    + "1\tA B\t1.5\t1 2\tred\n2\tB\t\t3 4\tred\n3\t\t2.5\t\tred\n")
            .table();
    assertThat(((FeatureColumn.MultiHot) table.column("class").orElseThrow()).codes())
        .containsExactly(1, 2, 2);
    assertThat(((FeatureColumn.Numeric) table.column("price").orElseThrow()).values())
        .containsExactly(1.5f, Float.NaN, 2.5f);
    FeatureColumn.DenseVector vector = (FeatureColumn.DenseVector) table.column("v").orElseThrow();
    assertThat(vector.dimension()).isEqualTo(2);
    assertThat(vector.values()).containsExactly(1f, 2f, 3f, 4f, 0f, 0f);
    assertThat(((FeatureColumn.Categorical) table.column("colour").orElseThrow()).codes())
        .containsExactly(1, 1, 1);
  }

  @Test
  void kindsAreFoundOutWhereTheHeaderDoesNotSay() {
    FeatureReader.Result small =
        read(FeatureSpec.withHeader(","), "id,age,tags,gender\n1,20,a|b,M\n2,,b,M\n3,30,,F\n");
    assertThat(small.notes()).isEmpty();
    assertThat(small.table().column("age")).get().isInstanceOf(FeatureColumn.Numeric.class);
    assertThat(small.table().column("tags")).get().isInstanceOf(FeatureColumn.MultiHot.class);
    assertThat(small.table().column("gender")).get().isInstanceOf(FeatureColumn.Categorical.class);
  }

  @Test
  void aColumnOfTitlesIsLeftOutWithANote() {
    StringBuilder text = new StringBuilder("id,title,maker\n");
    for (int i = 0; i < 120; i++) {
      text.append("i%d,\"Title, the %dth\",m%d%n".formatted(i, i, i % 60));
    }
    FeatureReader.Result result =
        read(FeatureSpec.withHeader(","), text.toString(), InteractionsTest.ids("i", 120));
    // 60 makers are just half of the entities.
    assertThat(result.table().columns()).extracting(FeatureColumn::name).containsExactly("maker");
    assertThat(result.notes())
        .containsExactly(
            "column title of f.txt was left out: it has 120 different values for 120 entities");
  }

  @Test
  void columnsThatAreAskedForStay() {
    FeatureTable table =
        read(
                FeatureSpec.builder(",")
                    .idColumn("id")
                    .column("t", "title", Kind.CATEGORICAL)
                    .column("tags", "0", Kind.MULTI_HOT, "|")
                    .build(),
                "tags,id,title\na|b,1,One\n,3,\n")
            .table();
    FeatureColumn.Categorical title = (FeatureColumn.Categorical) table.columns().get(0);
    assertThat(title.codes()).containsExactly(1, 0, 0);
    assertThat(title.codeOf("One")).isEqualTo(1);
    assertThat(title.codeOf("Two")).isZero();
  }

  @Test
  void badInputNamesLineAndColumn() {
    FeatureSpec numbers = FeatureSpec.builder(",").column("n", "n", Kind.NUMERIC).build();
    assertThatThrownBy(() -> read(numbers, "id,n\n1,2\n2,x\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("f.txt, line 3, column n: 'x'");
    assertThatThrownBy(() -> read(numbers, "id,n\n1,Infinity\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("line 2");
    assertThatThrownBy(() -> read(numbers, "id,m\n1,2\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no column 'n'")
        .hasMessageContaining("id, m");
    assertThatThrownBy(() -> read(numbers, "")).hasMessageContaining("empty");
    assertThatThrownBy(() -> read(numbers, "id\tn\n")).hasMessageContaining("a tab");
    FeatureSpec vector = FeatureSpec.builder(",").column("v", "v", Kind.DENSE_VECTOR, " ").build();
    assertThatThrownBy(() -> read(vector, "id,v\n1,1 2\n2,1 2 3\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("line 3")
        .hasMessageContaining("2 numbers");
    assertThatThrownBy(() -> read(vector, "id,v\n1,\n"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no vector");
    assertThatThrownBy(() -> FeatureSpec.builder(",").header(false).build())
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void aDirectoryIsNoFeatureFile(@TempDir Path folder) {
    assertThatThrownBy(() -> FeatureReader.read(folder, IDS, FeatureSpec.movielensMovies()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("directory");
  }

  @Test
  void figuresOfANumericColumnLeaveOutWhatIsMissing() {
    FeatureColumn.Numeric column =
        new FeatureColumn.Numeric("n", new float[] {2, Float.NaN, 4, 9, 5});
    assertThat(column.count()).isEqualTo(4);
    assertThat(column.mean()).isEqualTo(5);
    // Deviations -3, -1, 4, 0: mean square 26/4.
    assertThat(column.standardDeviation()).isCloseTo(Math.sqrt(6.5), within(1e-12));
    FeatureColumn.Numeric missing = new FeatureColumn.Numeric("n", new float[] {Float.NaN});
    assertThat(missing.mean()).isZero();
    assertThat(missing.standardDeviation()).isZero();
  }

  @Test
  void tablesAndColumnsAreChecked() {
    List<String> words = List.of("", "a");
    List<Runnable> wrong =
        List.of(
            () -> new FeatureColumn.Categorical("c", List.of("a"), new int[0]),
            () -> new FeatureColumn.Categorical("c", words, new int[] {2}),
            () -> new FeatureColumn.Categorical("c", words, new int[] {-1}),
            () -> new FeatureColumn.MultiHot("c", words, new int[] {0, 2}, new int[] {1}),
            () -> new FeatureColumn.MultiHot("c", words, new int[] {0, 1, 0, 1}, new int[] {1}),
            () -> new FeatureColumn.Numeric("c", new float[] {Float.POSITIVE_INFINITY}),
            () -> new FeatureColumn.DenseVector("c", 2, new float[3]),
            () -> new FeatureColumn.DenseVector("c", 1, new float[] {Float.NaN}),
            () -> FeatureTable.builder(2).add(new FeatureColumn.Numeric("c", new float[1])),
            () ->
                FeatureTable.builder(1)
                    .add(new FeatureColumn.Numeric("c", new float[1]))
                    .add(new FeatureColumn.Numeric("c", new float[1])));
    for (int i = 0; i < wrong.size(); i++) {
      assertThatThrownBy(wrong.get(i)::run)
          .as("number %d", i)
          .isInstanceOf(InvalidInputException.class);
    }
    Interactions interactions = Interactions.empty(IDS, IDS);
    assertThat(Dataset.of(interactions).items().numRows()).isEqualTo(3);
    assertThatThrownBy(
            () -> new Dataset(interactions, FeatureTable.empty(2), FeatureTable.empty(3)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("2 rows but there are 3 users");
  }
}
