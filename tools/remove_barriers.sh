#!/usr/bin/env bash
# Removes each __syncthreads(), __syncwarp() and __threadfence() of the kernels in turn and expects a kernel test of the
# preset metered to fail, by its values or by a data race:   tools/remove_barriers.sh [FILE...]
# A barrier that can be removed without a failing test is listed: it is either unnecessary or untested. The script works
# on a copy of the sources.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if (($# > 0)); then files=("$@"); else files=(kernels/*.cu kernels/*.cuh kernels/device/*.cu kernels/device/*.cuh); fi
copy=build/without_barrier
copy_sources "$copy"

heading "metered: build"
(cd "$copy" && cmake --preset metered >/dev/null)
tests=$copy/build/metered/tests/kernels/device/emulated/meter/metered_tests
rebuild() { cmake --build "$copy/build/metered" --parallel "$processors" --target metered_tests >"$copy/build.txt" 2>&1; }
passes() {
  OMP_NUM_THREADS=2 timeout 600 "$tests" --gtest_brief=1 --gtest_fail_fast \
    --gtest_filter='*Kernel*:EmulatedCuda.*:*LogMel*:FusedOps*' >"$copy/tests.txt" 2>&1
}
rebuild || stop "the unchanged sources in $copy do not build; see $copy/build.txt"
passes || stop "the tests fail before any barrier is removed; see $copy/tests.txt"

unnoticed=0 removed=0
for file in "${files[@]}"; do
  while IFS=: read -r line _; do
    sed --expression "${line}s/__\(syncthreads\|syncwarp\|threadfence\)([^)]*);//" "$file" >"$copy/$file"
    ((removed += 1))
    rebuild || stop "$file does not build without the barrier in line $line; see $copy/build.txt"
    if passes; then
      ((unnoticed += 1))
      printf 'tests pass without: %s:%s\n' "$file" "$line"
    else
      printf 'tests fail without: %s:%s\n' "$file" "$line"
    fi
    cp "$file" "$copy/$file"
  done < <(grep --line-number '__\(syncthreads\|syncwarp\|threadfence\)(.*);' "$file" | grep --invert-match '^[0-9]*: *//')
done
printf '%d barriers and fences, %d of them unnecessary or untested\n' "$removed" "$unnoticed"
((unnoticed == 0))
