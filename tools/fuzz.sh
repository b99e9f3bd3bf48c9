#!/bin/bash
# Fuzzes a reader of foreign files with libFuzzer under AddressSanitizer and UndefinedBehaviorSanitizer.
#   tools/fuzz.sh TARGET TIME [COMPILER]
#   TARGET  safetensors, manifest, config, audio or npy (tests/fuzz/TARGET_target.cpp)
#   TIME    90s for seconds, 10000000 for executions
# Needs clang with libFuzzer: clang-16 and libclang-rt-16-dev on Debian 12. What it found grows build/fuzz/TARGET.corpus;
# an input that crashes is left there as crash-*, which `build/fuzz/TARGET FILE` repeats.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
[ $# -ge 2 ] || usage
target=$1 time=$2 compiler=${3:-$(command -v clang++ || command -v clang++-16 || true)}
[ -n "$compiler" ] || { echo "fuzz.sh: no clang++; install clang" >&2; exit 1; }

sources=(framework/io/atomic_file.cpp)
packages=(fmt)
longest=1024 # bytes: short inputs reach as much and take less time
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
# Two to three times as many executions a second; repeating an input shows where its blocks were allocated.
export ASAN_OPTIONS=malloc_context_size=0:quarantine_size_mb=16
exec "build/fuzz/$target" "$limit" -max_len="$longest" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="$corpus/" "$corpus" "tests/fuzz/corpus/$target"
