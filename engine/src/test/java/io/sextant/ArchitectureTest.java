package io.sextant;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Holds docs/architecture.md: the direction of the rooms, the DJL rule, no cycles. */
class ArchitectureTest {

  private static final JavaClasses ENGINE =
      new ClassFileImporter()
          .importUrl(Event.class.getProtectionDomain().getCodeSource().getLocation());

  /** The rooms that may import DJL. */
  private static final String[] WITH_DJL = {
    "io.sextant.tensor..",
    "io.sextant.nn..",
    "io.sextant.train..",
    "io.sextant.strategy..",
    "io.sextant.meta..",
    "io.sextant.retrieve..",
  };

  /** Every room that the design knows; a class in any other package is misplaced. */
  private static final Set<String> ROOMS =
      Set.of(
          "io.sextant",
          "io.sextant.data",
          "io.sextant.tensor",
          "io.sextant.nn",
          "io.sextant.train",
          "io.sextant.strategy",
          "io.sextant.meta",
          "io.sextant.retrieve",
          "io.sextant.store",
          "io.sextant.serve",
          "io.sextant.feedback",
          "io.sextant.eval",
          "io.sextant.observe");

  private static final DescribedPredicate<JavaClass> DJL = resideInAPackage("ai.djl..");

  @Test
  void everyClassLivesInARoomOfTheDesign() {
    Set<String> packages = new TreeSet<>();
    ENGINE.forEach(c -> packages.add(c.getPackageName()));
    assertThat(packages).isNotEmpty();
    assertThat(ROOMS).containsAll(packages);
  }

  @Test
  void theRootUsesNoOtherRoom() {
    noClasses()
        .that()
        .resideInAPackage("io.sextant")
        .should()
        .dependOnClassesThat(resideInAPackage("io.sextant.(*)..").or(DJL))
        .because("every room may use the root, so it may use none")
        .check(ENGINE);
  }

  @Test
  void theRoomsDependInOneDirection() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("io.sextant..")
        // Some rooms are still empty; the direction holds from the first class on.
        .withOptionalLayers(true)
        .layer("nativeconfig")
        .definedBy("io.sextant.nativeconfig..")
        .layer("root")
        .definedBy("io.sextant")
        .layer("observe")
        .definedBy("io.sextant.observe..")
        .layer("data")
        .definedBy("io.sextant.data..")
        .layer("tensor")
        .definedBy("io.sextant.tensor..")
        .layer("eval")
        .definedBy("io.sextant.eval..")
        .layer("store")
        .definedBy("io.sextant.store..")
        .layer("retrieve")
        .definedBy("io.sextant.retrieve..")
        .layer("nn")
        .definedBy("io.sextant.nn..")
        .layer("train")
        .definedBy("io.sextant.train..")
        .layer("strategy")
        .definedBy("io.sextant.strategy..")
        .layer("meta")
        .definedBy("io.sextant.meta..")
        .layer("feedback")
        .definedBy("io.sextant.feedback..")
        .layer("serve")
        .definedBy("io.sextant.serve..")
        .whereLayer("root")
        .mayNotAccessAnyLayer()
        .whereLayer("observe")
        .mayOnlyAccessLayers("root")
        .whereLayer("data")
        .mayOnlyAccessLayers("root", "observe")
        .whereLayer("tensor")
        .mayOnlyAccessLayers("root", "observe", "store", "nativeconfig")
        .whereLayer("eval")
        .mayOnlyAccessLayers("root", "observe", "data")
        .whereLayer("store")
        .mayOnlyAccessLayers("root", "observe")
        .whereLayer("retrieve")
        .mayOnlyAccessLayers("root", "observe", "data", "tensor", "store")
        .whereLayer("nn")
        .mayOnlyAccessLayers("root", "observe", "data", "tensor")
        .whereLayer("train")
        .mayOnlyAccessLayers("root", "observe", "data", "tensor", "eval", "store", "retrieve", "nn")
        .whereLayer("strategy")
        .mayOnlyAccessLayers(
            "root", "observe", "data", "tensor", "eval", "store", "retrieve", "nn", "train")
        .whereLayer("meta")
        .mayOnlyAccessLayers(
            "root",
            "observe",
            "data",
            "tensor",
            "eval",
            "store",
            "retrieve",
            "nn",
            "train",
            "strategy")
        .whereLayer("serve")
        .mayNotBeAccessedByAnyLayer()
        .check(ENGINE);
  }

  @Test
  void onlyOneClassKnowsJVector() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("io.sextant.retrieve.GraphBuilding")
        .should()
        .dependOnClassesThat(resideInAPackage("io.github.jbellis.."))
        .because("it is an optional dependency")
        .check(ENGINE);
  }

  @Test
  void onlyTheLogInKafkaKnowsKafka() {
    noClasses()
        .that()
        .haveNameNotMatching("io\\.sextant\\.feedback\\.Kafka(DecisionLog|Scan)(\\$.*)?")
        .should()
        .dependOnClassesThat(resideInAPackage("org.apache.kafka.."))
        .because("it is an optional dependency")
        .check(ENGINE);
  }

  @Test
  void noCyclesBetweenRooms() {
    slices()
        .matching("io.sextant.(*)..")
        .should()
        .beFreeOfCycles()
        // One room alone makes no slice pair, which is no violation.
        .allowEmptyShould(true)
        .check(ENGINE);
  }

  @Test
  void onlyTheTensorRoomsImportDjl() {
    noClasses()
        .that()
        .resideInAPackage("io.sextant..")
        .and()
        .resideOutsideOfPackages(WITH_DJL)
        .should()
        .dependOnClassesThat(DJL)
        .because("data, eval, store, serve and feedback must work without a tensor library")
        .check(ENGINE);
  }

  @Test
  void onlyTensorCreatesManagers() {
    managersOutsideTensor().check(ENGINE);
  }

  @Test
  void modelsMultiplyByNumbersThroughGrad() {
    DescribedPredicate<JavaMethodCall> byNumber =
        DescribedPredicate.describe(
            "an NDArray's product, quotient or power with a number",
            call ->
                Set.of("mul", "muli", "div", "divi", "pow", "powi")
                        .contains(call.getTarget().getName())
                    && call.getTargetOwner().isAssignableTo(NDArray.class)
                    && call.getTarget().getRawParameterTypes().get(0).isEquivalentTo(Number.class));
    noClasses()
        .that()
        .resideInAPackage("io.sextant.nn..")
        .or()
        .haveSimpleNameEndingWith("Task")
        .or()
        .haveFullyQualifiedName("io.sextant.meta.MixModel")
        .or()
        .haveFullyQualifiedName("io.sextant.train.DropoutPool")
        .or()
        .haveFullyQualifiedName("io.sextant.meta.Explainer")
        .should()
        .callMethodWhere(byNumber)
        .because("a recording reads the number's memory after DJL has freed it: use Grad.times")
        .check(ENGINE);
  }

  @Test
  void stepsOnTheDeviceComputeWithNumbersOfTheCpu() {
    DescribedPredicate<JavaMethodCall> withNumber =
        DescribedPredicate.describe(
            "an NDArray's operation with a number",
            call ->
                call.getTargetOwner().isAssignableTo(NDArray.class)
                    && call.getTarget().getRawParameterTypes().stream()
                        .anyMatch(type -> type.isEquivalentTo(Number.class)));
    noClasses()
        .that()
        .haveNameMatching(
            "io\\.sextant\\.(train\\.Resident.*|tensor\\.(SegmentSums|Runs|Numbers).*)")
        .and()
        // Draws for many steps at once.
        .haveNameNotMatching("io\\.sextant\\.train\\.Resident(Sampler|Draws|SharedDraws)")
        .should()
        .callMethodWhere(withNumber)
        .because("copying a number to the device waits for the device: use Numbers")
        .check(ENGINE);
  }

  @Test
  void theLibraryIsSilent() {
    noClasses().should(ACCESS_STANDARD_STREAMS).check(ENGINE);
  }

  @Test
  void nothingEndsTheJvm() {
    noClasses().should().callMethod(System.class, "exit", int.class).check(ENGINE);
  }

  @Test
  void noGrabBags() {
    noClasses()
        .should()
        .resideInAnyPackage("..util..", "..utils..", "..common..", "..helper..", "..impl..")
        .check(ENGINE);
  }

  /** The rule on managers is worth nothing unless it sees a breach: here is one. */
  @Test
  void theRuleOnManagersSeesABreach() {
    JavaClasses breach = new ClassFileImporter().importClasses(Breach.class);
    assertThat(managersOutsideTensor().evaluate(breach).hasViolation()).isTrue();
    assertThat(noClasses().should().dependOnClassesThat(DJL).evaluate(breach).hasViolation())
        .isTrue();
  }

  private static ArchRule managersOutsideTensor() {
    DescribedPredicate<JavaMethodCall> creates =
        DescribedPredicate.describe(
            "a method that creates an NDManager",
            call ->
                Set.of("newBaseManager", "newSubManager").contains(call.getTarget().getName())
                    && call.getTargetOwner().getPackageName().startsWith("ai.djl"));
    return noClasses()
        .that()
        .resideOutsideOfPackage("io.sextant.tensor..")
        .should()
        .callMethodWhere(creates)
        .because("lifetimes have one owner: the tensor room");
  }

  /** Never run. */
  static final class Breach {

    private Breach() {}

    static NDManager manager() {
      return NDManager.newBaseManager();
    }
  }
}
