#!/usr/bin/env bash
# Everything that a machine with a GPU has to show, into one folder of benchmarks/results.
#
#   benchmarks/gpu-suite.sh [DEVICE]     cuda unless told; cpu runs the same on the CPU, to try it
#
#   SEXTANT_SUITE  full or quick (full); quick takes minutes and its figures are worth nothing
#
# One step after the other: what fails is named at the end and does not stop the others.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
device=${1:-cuda}
suite=${SEXTANT_SUITE:-full}
hardware=cpu
if [ "$device" != cpu ]; then
  command -v nvidia-smi >/dev/null || {
    echo "gpu-suite: no nvidia-smi: is there a driver? benchmarks/gpu-suite.sh cpu tries the suite without a GPU" >&2
    exit 1
  }
  hardware=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1 | tr -c 'A-Za-z0-9\n' '-')
fi
results=$root/benchmarks/results/$(date -u +%Y%m%dT%H%M%SZ)-suite-$hardware
mkdir -p "$results"
failed=()

step() {
  local name=$1
  shift
  echo "gpu-suite: $name ..." >&2
  if "$@" >"$results/$name.txt" 2>&1; then
    echo "gpu-suite: $name passed" >&2
  else
    echo "gpu-suite: $name FAILED, see $results/$name.txt" >&2
    failed+=("$name")
  fi
}

mvn() {
  (cd "$root" && "${SEXTANT_MVN:-mvn}" -q -B -Dspotless.check.skip=true -Djacoco.skip=true "$@")
}

jmh() {
  local quick=()
  [ "$suite" = full ] || quick=(-f 0 -wi 0 -i 1 -r 100ms -p users=200 -p items=500)
  SEXTANT_RESULTS=$results/jmh "$root/benchmarks/run" "$@" "${quick[@]}"
}

paired() {
  SEXTANT_RESULTS=$results/paired "$root/benchmarks/run" paired "$@"
}

required=()
[ "$device" = cpu ] || required=(--require cuda)
step doctor "$root/sextant" doctor "${required[@]}"
step parity mvn -pl engine -am test -Dsextant.parity.device="$device" -Dsurefire.failIfNoSpecifiedTests=false \
  '-Dtest=io/sextant/**/*ContractTest,io/sextant/train/Resident*Test,io/sextant/retrieve/SearchParityTest,io/sextant/serve/ServedParityTest'
step gpu-tests mvn -pl engine -am test -Dgroups=gpu -Dsurefire.failIfNoSpecifiedTests=false
both=cpu,$device
[ "$device" != cpu ] || both=cpu
for benchmark in TrainBenchmark TrainSequenceBenchmark TrainGuidedBenchmark ScoreBenchmark EvaluateBenchmark ServeBenchmark; do
  step "jmh-$benchmark" jmh "$benchmark" -p device="$both"
  if [ "$device" != cpu ]; then
    run=$(find "$results/jmh" -name results.json -newer "$results/doctor.txt" | sort | tail -n 1)
    step "compare-$benchmark" "$root/benchmarks/compare" "$run" --by device cpu "$device" \
      --out "$results/compare-$benchmark"
  fi
done
if [ "$suite" = full ]; then
  step peer-torch paired torch 1000000 200000 64 8192 7
  step peer-search paired exact 100000 64 100 9 1 32 256 1024
fi
if [ ${#failed[@]} -gt 0 ]; then
  echo "gpu-suite: failed: ${failed[*]}; the results are in $results" >&2
  exit 1
fi
echo "gpu-suite: all passed; the results are in $results" >&2
