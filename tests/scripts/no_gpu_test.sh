#!/usr/bin/env bash
# A program built for GPUs on a machine that has none:   tests/scripts/no_gpu_test.sh PROGRAM
# It says so in one line where a GPU is asked for, and works on the CPU where none is. Ends with 77 where there is one.
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
  echo "--device cuda was refused otherwise:" >&2
  cat "$scratch/error" >&2
  exit 1
fi
"${train[@]}" --out "$scratch/run" --device auto
"$program" predict "$scratch/run" "$scratch"/music/*/*.wav >"$scratch/predictions"
[[ -s $scratch/predictions ]]
