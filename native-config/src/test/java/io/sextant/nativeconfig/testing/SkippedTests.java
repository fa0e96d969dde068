package io.sextant.nativeconfig.testing;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** Prints, at the end of a run, each skipped test with its reason: never silently green. */
public final class SkippedTests implements TestExecutionListener {

  private final List<String> skipped = new CopyOnWriteArrayList<>();

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    String where =
        test.getSource()
            .map(
                s ->
                    s instanceof MethodSource m
                        ? m.getClassName() + "." + m.getMethodName()
                        : s instanceof ClassSource c ? c.getClassName() : s.toString())
            .orElse(test.getDisplayName());
    skipped.add("SKIPPED " + where + ": " + reason);
  }

  @Override
  public void testPlanExecutionFinished(TestPlan plan) {
    skipped.forEach(System.out::println);
    skipped.clear();
  }
}
