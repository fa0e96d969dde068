package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.data.Interactions;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.Packing;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.SequenceEncoder;
import io.sextant.nn.SequenceInput;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Runs;
import io.sextant.tensor.Scope;
import io.sextant.tensor.SegmentSums;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A sequence encoder on the device. Batches are put together there: histories are runs of one flat
 * array of items, which are written to the cells of packed rows. The encoder is recorded and
 * differentiated as ever, over one leaf with a row for each time that an item is read; gradients of
 * the same item are summed up by slots.
 *
 * <p>Java decides only what depends on lengths, which it knows: once an epoch it packs all batches
 * and copies where each sequence begins. Shapes follow from that, the number of operations from the
 * encoder's depth alone.
 *
 * <p>Memory on the device: 16 bytes an interaction and 8 for what users have seen, 28 a window and
 * 24 an item; a step of N tokens and C columns takes what recorded steps take, and {@code 16 B (C +
 * 2 N) D} bytes for the leaf, its gradient and their sums.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentSequences implements ResidentForm {

  private final Scope session;
  private final SequenceEncoder encoder;
  private final SequenceSampling sampling;
  private final SequenceWindows windows;
  private final SeenItems seenOnHost;
  private final DropoutPool dropout;
  private final ResidentColumns columns;
  private final ResidentSeen seen;
  private final NDArray itemOfRow;
  private final NDArray weightOfRow;
  private final NDArray users;
  private final NDArray firsts;
  private final NDArray lengths;
  private final SegmentSums sums;
  private final ResidentLosses losses;
  private @Nullable Epoch epoch;
  private long operations;

  /**
   * The batches of an epoch.
   *
   * @param order (W,) int64, its examples
   * @param starts (W,) int64, the first token of each in its batch
   * @param packings of the batches
   * @param tokens of the batches, without padding
   * @param seen how many items the users of each batch have seen
   */
  @SuppressWarnings("ArrayRecordComponent") // Kept, not compared.
  private record Epoch(
      Scope scope,
      int batchSize,
      NDArray order,
      NDArray starts,
      Packing[] packings,
      int[] tokens,
      int[] seen) {}

  ResidentSequences(
      Scope session,
      SequenceEncoder encoder,
      Interactions interactions,
      SequenceSampling sampling,
      SequenceWindows windows,
      SeenItems seenOnHost,
      DropoutPool dropout,
      ResidentColumns columns) {
    this.session = session;
    this.encoder = encoder;
    this.sampling = sampling;
    this.windows = windows;
    this.seenOnHost = seenOnHost;
    this.dropout = dropout;
    this.columns = columns;
    seen = ResidentSeen.of(session, seenOnHost, interactions.numUsers());
    int rows = interactions.size();
    int[] items = new int[rows];
    float[] weights = new float[rows];
    for (int row = 0; row < rows; row++) {
      items[row] = interactions.itemAt(row);
      weights[row] = windows.perPosition() * interactions.weightAt(row);
    }
    itemOfRow = HostArrays.longs(session.manager(), items, rows);
    weightOfRow = HostArrays.floats(session.manager(), weights, rows);
    int[] sizes = new int[windows.size()];
    for (int window = 0; window < sizes.length; window++) {
      sizes[window] = windows.length(window);
    }
    users = HostArrays.longs(session.manager(), windows.users(), sizes.length);
    firsts = HostArrays.longs(session.manager(), windows.firsts(), sizes.length);
    lengths = HostArrays.longs(session.manager(), sizes, sizes.length);
    sums = new SegmentSums(session, encoder.numItems());
    losses = new ResidentLosses(session);
  }

  @Override
  public void startEpoch(int[] examples, int batchSize) {
    if (epoch != null) {
      epoch.scope.close();
    }
    int batches = (examples.length + batchSize - 1) / batchSize;
    Packing[] packings = new Packing[batches];
    int[] tokens = new int[batches];
    int[] seenOfBatch = new int[batches];
    int[] starts = new int[examples.length];
    for (int batch = 0; batch < batches; batch++) {
      int from = batch * batchSize;
      int[] sizes = new int[Math.min(batchSize, examples.length - from)];
      for (int e = 0; e < sizes.length; e++) {
        sizes[e] = windows.length(examples[from + e]);
        tokens[batch] += sizes[e];
        int user = windows.users()[examples[from + e]];
        seenOfBatch[batch] += seenOnHost.end(user) - seenOnHost.start(user);
      }
      Packing packing = Packing.of(sizes);
      System.arraycopy(packing.starts(), 0, starts, from, sizes.length);
      packings[batch] = new Packing(packing.rows(), packing.length(), new int[0]);
    }
    Scope scope = session.child();
    epoch =
        new Epoch(
            scope,
            batchSize,
            HostArrays.longs(scope.manager(), examples, examples.length),
            HostArrays.longs(scope.manager(), starts, examples.length),
            packings,
            tokens,
            seenOfBatch);
  }

  @Override
  public void step(
      Position position, @Nullable Weigher weigher, ModelParameters parameters, float factor) {
    if (epoch == null) {
      throw new IllegalStateException("no epoch was started");
    }
    try (Scope step = session.child()) {
      new Step(step, epoch, position).run(weigher, parameters, factor);
      operations = step.manager().getManagedArrays().size();
    }
  }

  @Override
  public ResidentLosses.Totals takeTotals() {
    return losses.take();
  }

  @Override
  public long operations() {
    return operations;
  }

  /** One step: P tokens of B sequences, in N cells of R rows of length T. */
  private final class Step {
    private final Scope scope;
    private final Position position;
    private final Packing packing;
    private final int seenPairs;
    private final NDArray userOfExample;
    private final NDArray sizeOfExample;
    private final NDArray startOfExample;
    private final Runs runs;

    Step(Scope scope, Epoch epoch, Position position) {
      this.scope = scope;
      this.position = position;
      int batch = position.from() / epoch.batchSize;
      packing = epoch.packings[batch];
      seenPairs = epoch.seen[batch];
      NDIndex part = new NDIndex("{}:{}", position.from(), position.to());
      NDArray examples = scope.adopt(epoch.order.get(part));
      startOfExample = scope.adopt(epoch.starts.get(part));
      userOfExample = read(users, examples);
      sizeOfExample = read(lengths, examples);
      runs = Runs.of(read(firsts, examples), sizeOfExample, epoch.tokens[batch], scope);
    }

    /** Numbers of the session by index, in the step's memory. */
    private NDArray read(NDArray numbers, NDArray index) {
      return scope.adopt(numbers.gather(index, 0));
    }

    private NDArray range(long size) {
      return scope.manager().arange(0, Math.toIntExact(size), 1, DataType.INT64);
    }

    /** Values of the tokens (P) in cells that else hold what they hold. */
    private static NDArray written(NDArray cells, NDArray places, NDArray values) {
      RowOptimizer.write(cells, places, values);
      return cells;
    }

    void run(@Nullable Weigher weigher, ModelParameters parameters, float factor) {
      long count = runs.numbers().size(); // P
      NDArray targetRows = runs.numbers().add(Numbers.of(scope.manager(), 1));
      NDArray targets = read(itemOfRow, targetRows);
      NDArray compared = columns(targets);
      NDArray read =
          NDArrays.concat(new NDList(compared, read(itemOfRow, runs.numbers()), targets));
      long numColumns = compared.size();
      Map<String, NDArray> dense = new LinkedHashMap<>();
      ParameterValues values = new ParameterValues(scope.manager());
      ResidentSide side = null;
      for (NamedParameter parameter : encoder.namedParameters()) {
        NDArray value = parameter.parameter().getArray();
        if (parameter.table()) {
          side = new ResidentSide("item", scope, sums, read, value, null);
          side.values.setRequiresGradient(true);
          values.put(parameter.parameter(), side.values);
        } else {
          NDArray leaf = Grad.leaf(value, scope.manager());
          dense.put(parameter.name(), leaf);
          values.put(parameter.parameter(), leaf);
        }
      }
      if (side == null) {
        throw new IllegalStateException("a sequence encoder has a table of items");
      }
      NDArray places = runs.offsets().add(startOfExample.gather(runs.owners(), 0));
      NDArray first = range(count).addi(Numbers.of(scope.manager(), numColumns));
      SequenceTokens tokens =
          tokens(places, first, first.add(Numbers.of(scope.manager(), count)), compared);
      int longest = packing.length();
      NDArray cells = runs.owners().mul(Numbers.of(scope.manager(), longest)).addi(runs.offsets());
      NDArray loss;
      try (Grad grad = Grad.record()) {
        NDArray each = SequenceTask.tokenLosses(encoder, values, tokens); // (B, S)
        loss = each.mul(weights(each, cells, targetRows, weigher)).sum(new int[] {1}).mean();
        grad.backward(loss);
      }
      NDArray finite = ResidentLosses.finite(loss.stopGradient());
      losses.add(loss.stopGradient(), finite, position.size());
      dense.replaceAll((name, leaf) -> kept(leaf.getGradient(), finite));
      Map<String, ResidentGradient> tables = new LinkedHashMap<>();
      NDArray gradient = side.values.getGradient();
      NDArray none = scope.manager().zeros(new Shape(read.size(), 1), DataType.FLOAT32);
      side.addGradients(gradient, none, finite, tables);
      parameters.updateOnDevice(tables, dense, position.size(), factor);
    }

    private static NDArray kept(NDArray gradient, NDArray finite) {
      return gradient
          .getNDArrayInternal()
          .where(finite.broadcast(gradient.getShape()), gradient.zerosLike());
    }

    /** The items that all tokens are compared with (C,). */
    private NDArray columns(NDArray targets) {
      NDList parts = new NDList();
      if (sampling.negatives() > 0) {
        parts.add(columns.drawn(scope, position.step()));
      }
      long fromBatch = Math.min(sampling.inBatch(), targets.size());
      if (fromBatch > 0) {
        parts.add(targets.get(new NDIndex("0:{}", fromBatch)));
      }
      return NDArrays.concat(parts);
    }

    /**
     * @param places (P,) the cell of each token
     * @param inputs (P,) the row of the leaf that it reads
     * @param targets (P,) that of the item after it
     */
    private SequenceTokens tokens(
        NDArray places, NDArray inputs, NDArray targets, NDArray compared) {
      int length = packing.length();
      long cells = packing.numTokens();
      Shape shape = new Shape(cells);
      NDArray zeros = scope.manager().zeros(shape, DataType.INT64);
      NDArray owners = runs.owners();
      NDArray starts = startOfExample.gather(owners, 0);
      NDArray left =
          sizeOfExample.gather(owners, 0).subi(runs.offsets()).subi(Numbers.of(scope.manager(), 1));
      NDArray visibleFrom =
          written(range(cells), places, starts)
              .reshape(packing.rows(), 1, length, 1)
              .sub(
                  range(packing.rows())
                      .muli(Numbers.of(scope.manager(), length))
                      .reshape(packing.rows(), 1, 1, 1));
      NDArray line = range(length);
      NDArray from = line.reshape(1, 1, 1, length);
      NDArray to = line.reshape(1, 1, length, 1);
      // The logarithm of 1 where a token may be seen, of 0 where it may not.
      NDArray mask =
          from.gte(visibleFrom).logicalAnd(from.lte(to)).toType(DataType.FLOAT32, false).log();
      NDArray distances =
          line.reshape(length, 1).sub(line.reshape(1, length)).maximum(line.zerosLike());
      SequenceInput input =
          new SequenceInput(
              packing.rows(),
              length,
              written(zeros.duplicate(), places, inputs),
              written(zeros.duplicate(), places, left),
              mask,
              distances);
      NDArray tokenOfCell = scope.manager().zeros(cellsOfExamples(), DataType.INT64);
      NDArray cell = owners.mul(Numbers.of(scope.manager(), length)).addi(runs.offsets());
      written(tokenOfCell, cell, places);
      return new SequenceTokens(
          input,
          dropout.ofStep(position.step()),
          written(zeros.duplicate(), places, targets),
          Math.toIntExact(compared.size()),
          written(zeros, places, owners),
          columns.corrections(
              scope,
              compared,
              logExpected(compared),
              position.size(),
              seen.ofUsers(scope, userOfExample, seenPairs)),
          tokenOfCell.reshape(position.size(), length));
    }

    private Shape cellsOfExamples() {
      return new Shape((long) position.size() * packing.length());
    }

    /** The probability that at least one of many rare draws is the column's item. */
    private @Nullable NDArray logExpected(NDArray compared) {
      int fromBatch = (int) Math.min(sampling.inBatch(), runs.numbers().size());
      return sampling.logQ()
          ? columns
              .expected(scope, compared, fromBatch)
              .neg()
              .exp()
              .neg()
              .add(Numbers.of(scope.manager(), 1))
              .log()
          : null;
    }

    /** The weights of the tokens (B, S); 0 behind the end of a sequence. */
    private NDArray weights(
        NDArray losses, NDArray cells, NDArray targetRows, @Nullable Weigher weigher) {
      try (Grad off = Grad.pause()) {
        NDArray weights = read(weightOfRow, targetRows);
        if (weigher != null) {
          NDArray present = losses.stopGradient().reshape(-1).gather(cells, 0);
          weights.muli(weigher.weights(scope, targetRows, present));
        }
        NDArray all = scope.manager().zeros(cellsOfExamples(), DataType.FLOAT32);
        return written(all, cells, weights).reshape(losses.getShape());
      }
    }
  }
}
