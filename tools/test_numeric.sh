#!/usr/bin/env bash
# Repeats the tests that compare numbers (ctest label `numeric`, preset cpu) as other processors would run them: with the
# convolutions, mel spectrograms and oneDNN limited to SSE and to AVX2, and at the level of this processor with 1 and 3
# threads. Rounding differs in each case. The other kernels always use AVX2.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build cpu melgrad_tests >/dev/null
failed=()
# run_with LEVEL ISA THREADS: LEVEL is a value of MELGRAD_CPU, or empty for the best. ISA is a value of oneDNN's
# DNNL_MAX_CPU_ISA, which version 3 calls ONEDNN_MAX_CPU_ISA.
run_with() {
  heading "numeric tests: kernels at ${1:-the best level}, oneDNN at $2, $3 thread(s)"
  MELGRAD_CPU=$1 DNNL_MAX_CPU_ISA=$2 ONEDNN_MAX_CPU_ISA=$2 OMP_NUM_THREADS=$3 OMP_WAIT_POLICY=passive \
    ctest --preset cpu --label-regex numeric --parallel "$processors" --progress --output-on-failure ||
    failed+=("${1:-best level}, oneDNN at $2, $3 thread(s)")
}
run_with portable SSE41 2
run_with avx2 AVX2 2
run_with "" DEFAULT 1
run_with "" DEFAULT 3
if ((${#failed[@]} > 0)); then
  printf 'numeric tests failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "numeric tests passed in all configurations"
