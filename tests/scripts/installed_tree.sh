#!/usr/bin/env bash
# Builds and runs the examples against an installed melgrad:   tests/scripts/installed_tree.sh SOURCE PREFIX
set -euo pipefail
source=$1 prefix=$2
scratch=$(mktemp --directory)
trap 'rm -rf "$scratch"' EXIT
melgrad=$prefix/bin/melgrad

if grep --quiet '#include "' "$prefix/include/melgrad/models/classifier.h"; then
  echo "models/classifier.h needs other headers of melgrad" >&2
  exit 1
fi

build_example() {
  cmake -G Ninja -S "$source/docs/examples/$1" -B "$scratch/$1" -D CMAKE_PREFIX_PATH="$prefix" \
    -D CMAKE_BUILD_TYPE=Debug -D CMAKE_CXX_FLAGS="-Wall -Wextra -Wno-missing-field-initializers ${CI:+-Werror}" \
    -D CMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" >/dev/null
  # Ninja prints the messages of the compiler on stdout.
  cmake --build "$scratch/$1" >"$scratch/build.log" || { cat "$scratch/build.log" >&2 && exit 1; }
}

"$melgrad" synth "$scratch/music" --tracks-per-genre 4 --seconds 2 --quiet >/dev/null

build_example train_a_model
"$scratch/train_a_model/train_a_model" "$scratch/music" "$scratch/tiny" | tee "$scratch/epochs"
[[ $(grep --count 'validation track accuracy' "$scratch/epochs") == 4 && -s $scratch/tiny/best.safetensors ]]

build_example training_loop
"$scratch/training_loop/training_loop" | tee "$scratch/steps"
tail --lines 1 "$scratch/steps" | perl -ne 'exit !(/accuracy ([0-9.]+)$/ && $1 > 0.95)'

build_example classify_samples
"$melgrad" train "$scratch/music" --model cnn --epochs 1 --crop-frames 64 --out "$scratch/run" --no-cache --quiet
perl -e 'print pack("f<*", map { 0.3 * sin($_ / 9) } 1 .. 44100)' |
  "$scratch/classify_samples/classify_samples" "$scratch/run" 44100 | tee "$scratch/classes"
[[ $(grep --count --extended-regexp '^[01]\.[0-9]{3} [a-z]+$' "$scratch/classes") == 10 ]]
if "$scratch/classify_samples/classify_samples" "$scratch/absent" 44100 </dev/null; then exit 1; fi
