#!/usr/bin/env bash
# Repeats the tests that compare numbers (ctest label `numeric`, preset cpu) as other processors would run them: with
# oneDNN limited to SSE4.1 and to AVX2, and at the level of this processor with 1 and 3 threads. Rounding differs in each
# case. The kernels of melgrad itself always use AVX2.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build cpu melgrad_tests >/dev/null
failed=()
# run_with ISA THREADS: ISA is a value of oneDNN's DNNL_MAX_CPU_ISA, which version 3 calls ONEDNN_MAX_CPU_ISA.
run_with() {
  heading "numeric tests: oneDNN at $1, $2 thread(s)"
  DNNL_MAX_CPU_ISA=$1 ONEDNN_MAX_CPU_ISA=$1 OMP_NUM_THREADS=$2 OMP_WAIT_POLICY=passive \
    ctest --preset cpu --label-regex numeric --parallel "$processors" --progress --output-on-failure ||
    failed+=("oneDNN at $1 with $2 thread(s)")
}
run_with SSE41 2
run_with AVX2 2
run_with DEFAULT 1
run_with DEFAULT 3
if ((${#failed[@]} > 0)); then
  printf 'numeric tests failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "numeric tests passed in all configurations"
