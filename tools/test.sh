#!/usr/bin/env bash
# Installs what is missing, builds and runs all tests: tools/test.sh [PRESET...]
# Without arguments: cpu, and emulated, which is cpu-asan with the CUDA kernels added: the same tests and more, under the
# same sanitizers. Where there is a CUDA compiler, the CUDA kernels must compile too, and cuDNN must have plans for the
# models' convolutions, which takes no GPU.
# The last line sums up: N passed, N failed, N skipped.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

passed=0 failed=0 skipped=0

# The number in an attribute of a JUnit report's first testsuite.
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
  local preset=$1 report="$PWD/build/$1/report.xml"
  heading "$preset: build"
  if ! build "$preset"; then
    count_failure "The preset $preset does not build."
    return
  fi
  heading "$preset: tests"
  rm -f "$report"
  # Two threads in every test show what depends on their number; passive waiting lets tests share the processors.
  OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive \
    ctest --preset "$preset" --parallel "$processors" --progress --output-junit "$report" || true
  if [[ -s $report ]]; then add_report "$report"; else count_failure "ctest of the preset $preset did not finish."; fi
}

# One architecture and its PTX: what is checked is that nvcc takes the kernels. A machine with nvcc may lack cuDNN: then
# both are left out, which is said and is no failure.
test_cuda() {
  heading "cuda: build"
  local CUDACXX log
  CUDACXX=$(cuda_compiler)
  export CUDACXX
  if ! log=$(cmake --preset cuda -B build/cuda-check -D MELGRAD_CUDA_ARCHITECTURES=80 "${strictness[@]}" 2>&1); then
    if grep --quiet --extended-regexp 'No cuDNN found|cuDNN [0-9.]+ in ' <<<"$log"; then
      echo "Left out: compiling the CUDA kernels, and the tests of cuDNN's plans. There is nvcc here, but no cuDNN 9.8 or"
      echo "newer: install libcudnn9-dev-cuda-13, or pip install nvidia-cudnn-cu13, or set CUDNN_ROOT."
      ((skipped += 1))
      return
    fi
    count_failure "$log"
  elif cmake --build build/cuda-check --parallel "$processors"; then
    test_without_gpu
  else
    count_failure "The preset cuda does not build."
  fi
}

test_without_gpu() {
  local report="$PWD/build/cuda-check/report.xml"
  heading "cuda: tests of cuDNN's plans, and of a program without its GPU"
  rm -f "$report"
  ctest --test-dir build/cuda-check --tests-regex 'Plan|NoGpu' --output-on-failure --parallel "$processors" \
    --progress --output-junit "$report" || true
  grep --no-filename 'MiB of workspace' build/cuda-check/Testing/Temporary/LastTest.log || true
  if [[ -s $report ]]; then add_report "$report"; else count_failure "ctest of the preset cuda did not finish."; fi
}

tools/install_packages.sh
if (($# > 0)); then
  for preset in "$@"; do run_tests "$preset"; done
else
  for preset in cpu emulated; do run_tests "$preset"; done
  if cuda_compiler >/dev/null; then test_cuda; fi
fi

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
