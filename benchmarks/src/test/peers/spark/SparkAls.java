import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Stands in for Spark where it is absent: the same rule, naively, for small tables. The class path
 * says how it is to behave: {@code honest}, {@code nonsense} (other factors) or {@code failing}.
 */
public final class SparkAls {

  private static boolean[][] observed;
  private static int rank;

  private SparkAls() {}

  public static void main(String[] args) throws IOException {
    String behaviour = System.getProperty("java.class.path");
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      if (text(line, "do").equals("open")) {
        open(line);
        System.out.println("{\"version\": \"fake\", \"kernels\": \"none\"}");
      } else if (behaviour.contains("failing")) {
        System.out.println("{\"failure\": \"out of luck\"}");
      } else {
        turn(line, behaviour.contains("nonsense"));
      }
      System.out.flush();
    }
  }

  private static void open(String request) throws IOException {
    // The counts are numbers, the files under the same names are texts.
    observed = new boolean[(int) number(request, "users")][(int) number(request, "items")];
    rank = (int) number(request, "rank");
    ByteBuffer users = read(text(request, "users"));
    ByteBuffer items = read(text(request, "items"));
    while (users.hasRemaining()) {
      observed[users.getInt()][items.getInt()] = true;
    }
  }

  private static void turn(String request, boolean nonsense) throws IOException {
    double alpha = number(request, "alpha");
    double regParam = number(request, "regParam");
    Random random = new Random(5);
    double[][] users = new double[observed.length][rank];
    double[][] items = null;
    for (double[] row : users) {
      for (int d = 0; d < rank; d++) {
        row[d] = random.nextGaussian() / Math.sqrt(rank);
      }
    }
    for (int n = 0; n < number(request, "iterations"); n++) {
      items = solve(transposed(observed), users, alpha, regParam);
      users = solve(observed, items, alpha, regParam);
    }
    if (request.contains("userFactors")) {
      write(text(request, "userFactors"), users, nonsense ? 0.5 : 1);
      write(text(request, "itemFactors"), items, 1);
    }
    System.out.println(
        "{\"seconds\": " + (1 + 0.5 * number(request, "iterations")) + "}");
  }

  private static double[][] solve(
      boolean[][] rows, double[][] known, double alpha, double regParam) {
    double[][] solved = new double[rows.length][rank];
    for (int row = 0; row < rows.length; row++) {
      double[][] system = new double[rank][rank + 1];
      int degree = 0;
      for (int s = 0; s < known.length; s++) {
        degree += rows[row][s] ? 1 : 0;
        for (int d = 0; d < rank; d++) {
          for (int e = 0; e < rank; e++) {
            system[d][e] += (rows[row][s] ? 1 + alpha : 1) * known[s][d] * known[s][e];
          }
          system[d][rank] += rows[row][s] ? (1 + alpha) * known[s][d] : 0;
        }
      }
      for (int d = 0; d < rank; d++) {
        system[d][d] += regParam * degree;
      }
      if (degree > 0) {
        solved[row] = eliminate(system);
      }
    }
    return solved;
  }

  /** Positive definite systems need no pivots. */
  private static double[] eliminate(double[][] system) {
    for (int p = 0; p < rank; p++) {
      for (int row = 0; row < rank; row++) {
        double factor = system[row][p] / system[p][p];
        for (int column = p; row != p && column <= rank; column++) {
          system[row][column] -= factor * system[p][column];
        }
      }
    }
    double[] solution = new double[rank];
    for (int d = 0; d < rank; d++) {
      solution[d] = system[d][rank] / system[d][d];
    }
    return solution;
  }

  private static boolean[][] transposed(boolean[][] rows) {
    boolean[][] columns = new boolean[rows[0].length][rows.length];
    for (int row = 0; row < rows.length; row++) {
      for (int column = 0; column < columns.length; column++) {
        columns[column][row] = rows[row][column];
      }
    }
    return columns;
  }

  private static String text(String json, String name) {
    return match(json, "\"" + name + "\":\"([^\"]*)\"");
  }

  private static double number(String json, String name) {
    return Double.parseDouble(match(json, "\"" + name + "\":([-.0-9E]+)"));
  }

  private static String match(String json, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(json);
    if (!matcher.find()) {
      throw new IllegalArgumentException(json + " lacks " + pattern);
    }
    return matcher.group(1);
  }

  private static ByteBuffer read(String file) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(Path.of(file))).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void write(String file, double[][] rows, double scale) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(rows.length * rank * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (double[] row : rows) {
      for (double value : row) {
        bytes.putFloat((float) (scale * value));
      }
    }
    Files.write(Path.of(file), bytes.array());
  }
}
