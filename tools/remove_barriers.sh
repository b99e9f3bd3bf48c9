#!/usr/bin/env bash
# Removes each __syncthreads() and __syncwarp() of the kernels in turn and expects a kernel test on the emulated device
# to fail:   tools/remove_barriers.sh [FILE...]
# A barrier that can be removed without a failing test is listed: it is either unnecessary or untested. The script works
# on a copy of the sources.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if (($# > 0)); then files=("$@"); else files=(kernels/*.cu kernels/*.cuh kernels/device/*.cu kernels/device/*.cuh); fi
copy=build/without_barrier
copy_sources "$copy"

heading "emulated: build"
# Sanitizers are off: wrong results and the emulated device's own checks reveal a missing barrier.
cmake -G Ninja -S "$copy" -B "$copy/build" -D CMAKE_BUILD_TYPE=Release -D MELGRAD_DEVICE=emulated >/dev/null
rebuild() { cmake --build "$copy/build" --parallel "$processors" --target melgrad_tests >"$copy/build.txt" 2>&1; }
passes() {
  OMP_NUM_THREADS=2 timeout 600 "$copy/build/tests/melgrad_tests" --gtest_brief=1 --gtest_fail_fast \
    --gtest_filter='*Kernel*:EmulatedCuda*:*LogMel*' >"$copy/tests.txt" 2>&1
}
rebuild || stop "the unchanged sources in $copy do not build; see $copy/build.txt"
passes || stop "the tests fail before any barrier is removed; see $copy/tests.txt"

unnoticed=0 removed=0
for file in "${files[@]}"; do
  while IFS=: read -r line _; do
    sed --expression "${line}s/__sync\(threads\|warp\)([^)]*);//" "$file" >"$copy/$file"
    ((removed += 1))
    rebuild || stop "$file does not build without the barrier in line $line; see $copy/build.txt"
    if passes; then
      ((unnoticed += 1))
      printf 'tests pass without: %s:%s\n' "$file" "$line"
    else
      printf 'tests fail without: %s:%s\n' "$file" "$line"
    fi
    cp "$file" "$copy/$file"
  done < <(grep --line-number '__sync\(threads\|warp\)(.*);' "$file" | grep --invert-match '^[0-9]*: *//')
done
printf '%d barriers, %d of them unnecessary or untested\n' "$removed" "$unnoticed"
((unnoticed == 0))
