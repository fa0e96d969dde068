package io.sextant.benchmarks;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Load on a service of this machine, over HTTP.
 *
 * <p>Design. In an open loop requests are due at random moments of a Poisson process, whether those
 * before are answered or not, and a time counts from the moment when its request was due: a service
 * that stops for a second is charged for all who came in that second. In a closed loop each of so
 * many callers asks again as soon as it is answered. A thread for each connection; threads that
 * wait cost the service nothing.
 *
 * <p>Not thread-safe.
 */
final class HttpLoad {

  /** The status of a request whose connection was cut. */
  static final int CUT = 0;

  /** Instead of a moment: as soon as a caller is free. */
  private static final long AT_ONCE = -1;

  /** Threads are started before the first call is due. */
  private static final long LEAD_NANOS = 200_000_000;

  private static final int TIMEOUT_MILLIS = 30_000;

  private final int port;

  HttpLoad(int port) {
    this.port = port;
  }

  /** What one request, or several that belong together, ask; gives the status of the last. */
  @FunctionalInterface
  interface Call {
    /**
     * Asks.
     *
     * @param number of the call, from 0 on
     */
    int ask(Connection connection, int number) throws IOException;
  }

  /**
   * What became of calls, in the order in which they were due.
   *
   * @param due nanoseconds after the start
   * @param nanos from then to the answer
   * @param statuses of HTTP, {@link #CUT} for none
   * @param seconds until the last answer
   */
  record Result(long[] due, long[] nanos, int[] statuses, double seconds) {

    /** Milliseconds that this share of the calls with an answer 200 took at most. */
    double millis(double quantile) {
      Histogram histogram = new Histogram(3);
      for (int i = 0; i < nanos.length; i++) {
        if (statuses[i] == 200) {
          histogram.recordValue(nanos[i]);
        }
      }
      return histogram.getValueAtPercentile(100 * quantile) / 1e6;
    }

    /** Answers 200, a second, in the first so many seconds. */
    double goodput(double first) {
      int good = 0;
      for (int i = 0; i < nanos.length; i++) {
        good += statuses[i] == 200 && due[i] + nanos[i] <= first * 1e9 ? 1 : 0;
      }
      return good / first;
    }

    /** How many calls had which status. */
    Map<Integer, Integer> counts() {
      Map<Integer, Integer> counts = new TreeMap<>();
      Arrays.stream(statuses).forEach(status -> counts.merge(status, 1, Integer::sum));
      return counts;
    }

    /** Seconds from a moment until the last call was due that got no 200 or took longer; or 0. */
    double secondsUntilAllTake(double millis, double from) {
      double last = from;
      for (int i = 0; i < nanos.length; i++) {
        if (statuses[i] != 200 || nanos[i] > millis * 1e6) {
          last = Math.max(last, due[i] / 1e9);
        }
      }
      return last - from;
    }
  }

  /** Calls at rates, a second, that follow each other, from so many connections at most. */
  Result open(double[] rates, double secondsEach, int connections, long seed, Call call) {
    Random random = new Random(seed);
    List<Long> due = new ArrayList<>();
    double at = 0;
    for (int phase = 0; phase < rates.length; phase++) {
      while (at < (phase + 1) * secondsEach) {
        due.add((long) (at * 1e9));
        at -= Math.log(1 - random.nextDouble()) / rates[phase];
      }
    }
    return run(due.stream().mapToLong(Long::longValue).toArray(), connections, call);
  }

  /** So many calls from callers who ask again as soon as they are answered. */
  Result closed(int calls, int callers, Call call) {
    long[] due = new long[calls];
    Arrays.fill(due, AT_ONCE);
    return run(due, callers, call);
  }

  private Result run(long[] due, int connections, Call call) {
    int n = due.length;
    Result result = new Result(due, new long[n], new int[n], 0);
    Queue<RuntimeException> failures = new ConcurrentLinkedQueue<>();
    AtomicInteger next = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    long start = System.nanoTime() + LEAD_NANOS;
    for (int i = 0; i < Math.min(connections, n); i++) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  work(call, start, next, result);
                } catch (RuntimeException e) {
                  failures.add(e);
                }
              },
              "load-" + i);
      thread.start();
      threads.add(thread);
    }
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
    if (!failures.isEmpty()) {
      throw failures.element();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Result(due, result.nanos, result.statuses, seconds);
  }

  private void work(Call call, long start, AtomicInteger next, Result result) {
    try (Connection connection = new Connection(port)) {
      for (int i = next.getAndIncrement(); i < result.due.length; i = next.getAndIncrement()) {
        if (result.due[i] == AT_ONCE) {
          result.due[i] = Math.max(0, System.nanoTime() - start);
        }
        long due = start + result.due[i];
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
        try {
          result.statuses[i] = call.ask(connection, i);
        } catch (IOException e) {
          result.statuses[i] = CUT;
          connection.close();
        }
        result.nanos[i] = System.nanoTime() - due;
      }
    }
  }

  /** A connection that is kept from request to request. Not thread-safe. */
  static final class Connection implements AutoCloseable {
    private final int port;
    private Socket socket = new Socket();
    private InputStream in = InputStream.nullInputStream();
    private byte[] answer = {};

    Connection(int port) {
      this.port = port;
    }

    /** Asks and gives the status. */
    int post(String path, String body) throws IOException {
      if (!socket.isConnected() || socket.isClosed()) {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = new BufferedInputStream(socket.getInputStream());
      }
      byte[] content = body.getBytes(StandardCharsets.UTF_8);
      String head =
          "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
              .formatted(path, content.length);
      byte[] request =
          Arrays.copyOf(head.getBytes(StandardCharsets.US_ASCII), head.length() + content.length);
      System.arraycopy(content, 0, request, head.length(), content.length);
      socket.getOutputStream().write(request);
      String status = line();
      int length = 0;
      boolean last = false;
      for (String header = line(); !header.isEmpty(); header = line()) {
        String lower = header.toLowerCase(Locale.ROOT);
        if (lower.startsWith("content-length:")) {
          length = Integer.parseInt(lower.substring("content-length:".length()).trim());
        }
        last |= lower.equals("connection: close");
      }
      answer = in.readNBytes(length);
      if (last || answer.length < length) {
        close();
      }
      return Integer.parseInt(status.split(" ")[1]);
    }

    /** The body of the last answer. */
    String answer() {
      return new String(answer, StandardCharsets.UTF_8);
    }

    private String line() throws IOException {
      StringBuilder line = new StringBuilder();
      for (int c = in.read(); c != '\n'; c = in.read()) {
        if (c < 0) {
          throw new IOException("the connection was cut");
        }
        if (c != '\r') {
          line.append((char) c);
        }
      }
      return line.toString();
    }

    @Override
    public void close() {
      try {
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
