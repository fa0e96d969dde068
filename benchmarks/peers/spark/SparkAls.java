import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ludovic.netlib.lapack.JavaLAPACK;
import dev.ludovic.netlib.blas.JavaBLAS;
import dev.ludovic.netlib.lapack.NativeLAPACK;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.ml.recommendation.ALS;
import org.apache.spark.ml.recommendation.ALSModel;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Spark's ALS beside the engine's, driven by PairedRun over standard input and output: a request
 * and its answer are a line of JSON. Run from its source ({@code java -cp 'spark-lib/*'
 * SparkAls.java}), so that no build but this peer's ever needs Spark.
 *
 * <p>The pairs lie in Spark's cache before anything is timed. A turn fits a model with so many
 * iterations, and says how many seconds that took; what is not an iteration (blocking the ratings,
 * starting stages) is for the caller to subtract.
 */
public final class SparkAls {

  private static final ObjectMapper JSON = new ObjectMapper();

  private SparkSession spark;
  private Dataset<Row> pairs;
  private JsonNode options;

  private SparkAls() {}

  public static void main(String[] args) throws IOException {
    PrintStream answers = System.out;
    // Whatever Spark prints must not look like an answer.
    System.setOut(System.err);
    SparkAls peer = new SparkAls();
    BufferedReader requests =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        JsonNode request = JSON.readTree(line);
        switch (request.get("do").asText()) {
          case "open" -> peer.open(request, answer);
          case "turn" -> peer.turn(request, answer);
          default -> answer.put("failure", "unknown request");
        }
      } catch (Exception | LinkageError e) {
        e.printStackTrace();
        answer = JSON.createObjectNode().put("failure", e.toString());
      }
      answers.println(answer);
      answers.flush();
    }
    System.exit(0);
  }

  private void open(JsonNode request, ObjectNode answer) throws IOException {
    options = request.get("options");
    int threads = options.get("threads").asInt();
    spark =
        SparkSession.builder()
            .appName("sextant-peer")
            .master("local[" + threads + "]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", threads)
            .config("spark.default.parallelism", threads)
            .getOrCreate();
    spark.sparkContext().setLogLevel("ERROR");
    int[] users = ints(Path.of(request.get("users").asText()));
    int[] items = ints(Path.of(request.get("items").asText()));
    List<Row> rows = new ArrayList<>(users.length);
    for (int n = 0; n < users.length; n++) {
      rows.add(RowFactory.create(users[n], items[n], 1f));
    }
    StructType schema =
        new StructType()
            .add("user", DataTypes.IntegerType, false)
            .add("item", DataTypes.IntegerType, false)
            .add("rating", DataTypes.FloatType, false);
    pairs = spark.createDataFrame(rows, schema).repartition(threads).cache();
    if (pairs.count() != users.length) {
      throw new IllegalStateException("pairs were lost");
    }
    answer.put("version", "spark-mllib " + spark.version());
    String lapack;
    try {
      lapack = NativeLAPACK.getInstance().getClass().getSimpleName();
    } catch (RuntimeException | LinkageError absent) {
      lapack = JavaLAPACK.getInstance().getClass().getSimpleName();
    }
    answer.put("kernels", JavaBLAS.getInstance().getClass().getSimpleName() + ", " + lapack);
  }

  private void turn(JsonNode request, ObjectNode answer) throws IOException {
    ALS als =
        new ALS()
            .setImplicitPrefs(true)
            .setRank(options.get("rank").asInt())
            .setAlpha(request.get("alpha").asDouble())
            .setRegParam(request.get("regParam").asDouble())
            .setMaxIter(request.get("iterations").asInt())
            .setNumUserBlocks(options.get("blocks").asInt())
            .setNumItemBlocks(options.get("blocks").asInt())
            .setCheckpointInterval(-1)
            .setSeed(1);
    long start = System.nanoTime();
    ALSModel model = als.fit(pairs);
    // A fit leaves its factors computed and cached.
    answer.put("seconds", (System.nanoTime() - start) / 1e9);
    if (request.has("userFactors")) {
      write(model.userFactors(), options.get("users").asInt(), request.get("userFactors"));
      write(model.itemFactors(), options.get("items").asInt(), request.get("itemFactors"));
    }
    model.userFactors().unpersist();
    model.itemFactors().unpersist();
  }

  private static int[] ints(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int[] values = new int[bytes.remaining() / Integer.BYTES];
    bytes.asIntBuffer().get(values);
    return values;
  }

  /** Rows that Spark knows nothing of are 0. */
  private void write(Dataset<Row> factors, int rows, JsonNode file) throws IOException {
    int rank = options.get("rank").asInt();
    ByteBuffer bytes =
        ByteBuffer.allocate(rows * rank * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (Row row : factors.collectAsList()) {
      int at = row.getInt(0) * rank;
      List<Float> values = row.getList(1);
      for (int d = 0; d < rank; d++) {
        bytes.putFloat((at + d) * Float.BYTES, values.get(d));
      }
    }
    Files.write(Path.of(file.asText()), bytes.array());
  }
}
