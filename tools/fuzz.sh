#!/bin/bash
# Fuzzes one file reader with libFuzzer under AddressSanitizer and UndefinedBehaviorSanitizer.
#   tools/fuzz.sh TARGET TIME [COMPILER]
#   TARGET  safetensors, manifest, config, audio or npy (tests/fuzz/TARGET_target.cpp)
#   TIME    a duration such as 90s, or a number of executions such as 10000000
# Needs clang with libFuzzer: clang-16 and libclang-rt-16-dev on Debian 12. New inputs are added to
# build/fuzz/TARGET.corpus. An input that crashes is saved there as crash-*; `build/fuzz/TARGET FILE` repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
[ $# -ge 2 ] || usage
target=$1 time=$2 compiler=${3:-$(command -v clang++ || command -v clang++-16 || true)}
[ -n "$compiler" ] || { echo "fuzz.sh: clang++ was not found; install it, or give the compiler as third argument" >&2; exit 1; }

sources=(framework/io/atomic_file.cpp)
packages=(fmt)
longest=1024 # bytes of an input: short inputs reach the same code in less time
case $target in
  safetensors) sources+=(framework/io/safetensors.cpp) ;;
  manifest) sources+=(framework/io/csv.cpp framework/dataset/dataset.cpp framework/terminal/text.cpp) ;;
  config) sources+=(apps/{arguments,config}.cpp framework/terminal/text.cpp) ;;
  audio)
    sources+=(framework/audio/{audio_file,decoder,length_field,mpg123_source,sndfile_source,truncation}.cpp framework/terminal/text.cpp)
    packages+=(sndfile libmpg123)
    longest=4096
    ;;
  npy) sources+=(framework/io/npy.cpp) ;;
  *) usage ;;
esac
case $time in
  *s) limit=-max_total_time=${time%s} ;;
  *) limit=-runs=$time ;;
esac

corpus=build/fuzz/$target.corpus
mkdir -p "$corpus"
read -ra libraries <<<"$(pkg-config --cflags --libs "${packages[@]}")"
"$compiler" -std=c++20 -O2 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
  -fsanitize-address-use-after-return=never -fno-sanitize-recover=undefined -I. "tests/fuzz/${target}_target.cpp" \
  tests/fuzz/fuzz_file.cpp "${sources[@]}" "${libraries[@]}" -o "build/fuzz/$target"
export LSAN_OPTIONS="suppressions=tests/library_leaks.txt:print_suppressions=0"
# The stacks of allocations are not recorded, which gives two to three times as many executions per second.
# `build/fuzz/TARGET FILE` prints them.
export ASAN_OPTIONS=malloc_context_size=0:quarantine_size_mb=16
exec "build/fuzz/$target" "$limit" -max_len="$longest" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="$corpus/" "$corpus" "tests/fuzz/corpus/$target"
