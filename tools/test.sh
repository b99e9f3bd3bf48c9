#!/usr/bin/env bash
# Installs missing packages, builds and runs all tests:   tools/test.sh [PRESET...]
# Without arguments it tests the presets cpu, emulated and metered. emulated runs the tests of cpu-asan and those of the CUDA
# kernels, under the same sanitizers. metered looks for data races in all CUDA kernels. If nvcc is installed, the script also compiles the CUDA kernels and checks that
# cuDNN has execution plans for the models' convolutions; neither needs a GPU.
# The last line is the sum: N passed, N failed, N skipped.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

passed=0 failed=0 skipped=0

# attribute NAME REPORT: prints a number from the first testsuite of a JUnit report.
attribute() { sed --quiet "s/.*<testsuite.*\b$1=\"\([0-9]*\)\".*/\1/p" <<<"$2"; }

add_report() {
  local report suite_failed suite_skipped
  report=$(tr '\n' ' ' <"$1" | grep --only-matching '<testsuite[^>]*>')
  suite_failed=$(attribute failures "$report")
  suite_skipped=$(($(attribute skipped "$report") + $(attribute disabled "$report")))
  ((failed += suite_failed)) || true
  ((skipped += suite_skipped)) || true
  ((passed += $(attribute tests "$report") - suite_failed - suite_skipped)) || true
}

count_failure() {
  echo "$1" >&2
  ((failed += 1))
}

run_tests() {
  local preset=$1 target=all report="$PWD/build/$1/report.xml"
  if [[ $preset == metered ]]; then target=metered_tests; fi
  heading "$preset: build"
  if ! build "$preset" "$target"; then
    count_failure "the preset $preset does not build; see the errors above"
    return
  fi
  heading "$preset: tests"
  rm -f "$report"
  # Two threads reveal results that depend on the thread count. Passive waiting lets parallel tests share the processors.
  OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive \
    ctest --preset "$preset" --parallel "$processors" --progress --output-junit "$report" || true
  if [[ -s $report ]]; then add_report "$report"; else count_failure "ctest of the preset $preset wrote no report; see its output above"; fi
}

# Compiles the kernels for one architecture, to check that nvcc accepts them. Without cuDNN the script skips this step
# and says so.
test_cuda() {
  heading "cuda: build"
  local CUDACXX log
  CUDACXX=$(cuda_compiler)
  export CUDACXX
  if ! log=$(cmake --preset cuda -B build/cuda-check -D MELGRAD_CUDA_ARCHITECTURES=80 "${strictness[@]}" 2>&1); then
    if grep --quiet --extended-regexp 'No cuDNN found|cuDNN [0-9.]+ in ' <<<"$log"; then
      echo "Skipped: compiling the CUDA kernels and testing cuDNN's plans. nvcc is installed, but cuDNN 9.8 or newer is not."
      echo "Install libcudnn9-dev-cuda-13, or pip install nvidia-cudnn-cu13, or set CUDNN_ROOT."
      ((skipped += 1))
      return
    fi
    count_failure "$log"
  elif cmake --build build/cuda-check --parallel "$processors" --target melgrad cudnn_plan_test add_an_op; then
    test_without_gpu
  else
    count_failure "the preset cuda does not build; see the errors above"
  fi
}

test_without_gpu() {
  local report="$PWD/build/cuda-check/report.xml"
  heading "cuda: tests that need no GPU (cuDNN's plans, CPU fallback, registers)"
  rm -f "$report"
  ctest --test-dir build/cuda-check --tests-regex 'Plan|NoGpu|Resources' --output-on-failure --parallel "$processors" \
    --progress --output-junit "$report" || true
  grep --no-filename 'MiB of workspace' build/cuda-check/Testing/Temporary/LastTest.log || true
  if [[ -s $report ]]; then add_report "$report"; else count_failure "ctest of the preset cuda wrote no report; see its output above"; fi
}

tools/install_packages.sh
if (($# > 0)); then
  for preset in "$@"; do run_tests "$preset"; done
else
  for preset in cpu emulated metered; do run_tests "$preset"; done
  if cuda_compiler >/dev/null; then test_cuda; fi
fi

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
