#!/usr/bin/env bash
# Tests a CUDA build on a machine without a GPU:   tests/scripts/no_gpu_test.sh PROGRAM
# With --device cuda it must fail with one line; with --device auto it must use the CPU. Exits with 77 if there is a GPU.
set -euo pipefail
program=$1
scratch=$(mktemp --directory)
trap 'rm -rf "$scratch"' EXIT
export MELGRAD_CACHE=$scratch/cache

reason=$("$program" --version --json | sed --quiet 's/.*"no_gpu_because": "\(.*\)".*/\1/p')
[[ -n $reason ]] || exit 77

"$program" synth "$scratch/music" --tracks-per-genre 4 --seconds 2 --quiet >"$scratch/synth"
train=("$program" train "$scratch/music" --model cnn --epochs 1 --crop-frames 32 --test-fraction 0.25 --validation-fraction 0.34 --quiet)
if "${train[@]}" --out "$scratch/refused" --device cuda 2>"$scratch/error"; then
  echo "--device cuda trained without a GPU" >&2
  exit 1
fi
if [[ $(cat "$scratch/error") != "melgrad: $reason; use --device cpu" ]]; then
  echo "--device cuda failed with another message:" >&2
  cat "$scratch/error" >&2
  exit 1
fi
"${train[@]}" --out "$scratch/run" --device auto
"$program" predict "$scratch/run" "$scratch"/music/*/*.wav >"$scratch/predictions"
[[ -s $scratch/predictions ]]
