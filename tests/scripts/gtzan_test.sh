#!/usr/bin/env bash
# gtzan_test.sh PROGRAM PAGE: runs every command of docs/gtzan.md on a small set of GTZAN's shape. Trainings get options
# that make them short.
set -euo pipefail

program=$1
page=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export MELGRAD_CACHE=$work/cache OMP_NUM_THREADS=1

"$program" synth genres --tracks-per-genre 10 --seconds 1 --quiet >/dev/null
mkdir lists
find genres -name '*.wav' -printf '%P\n' | sort >files
grep -E '[0-5]\.wav$' files >lists/train_filtered.txt
grep -E '[67]\.wav$' files >lists/valid_filtered.txt
grep -E '[89]\.wav$' files >lists/test_filtered.txt

short=(--epochs 1 --model cnn_bn --statistics off --n-mels 32 --crop-frames 32 --quiet)
commands=0
while read -r name command arguments; do
  options=()
  [[ $command == train || $command == cross-validate ]] && options=("${short[@]}")
  # shellcheck disable=SC2086 # the arguments are words
  "$program" "$command" $arguments "${options[@]}" >log 2>&1 ||
    { echo "FAILED: $name $command $arguments" && cat log && exit 1; } >&2
  commands=$((commands + 1))
done < <(sed -n 's/^    \(melgrad .*\)$/\1/p' "$page")
((commands == 9)) || { echo "FAILED: $page has $commands commands, 9 are expected" >&2 && exit 1; }

# Each protocol tests the tracks that it says.
held_out() { grep -c ',test' "$1/split.csv"; }
[[ $(held_out runs/random_cnn) == 20 && $(held_out runs/filtered) == 20 && $(held_out cv/best/fold9_seed0) == 10 ]] ||
  { echo "FAILED: wrong numbers of test tracks" && exit 1; } >&2
