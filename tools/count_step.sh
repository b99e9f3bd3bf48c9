#!/usr/bin/env bash
# Counts what one training step does on a GPU, without a GPU: launches, bytes, sectors, bank conflicts, library calls, uploads.
#   tools/count_step.sh FOLDER [MODEL [PRECISION [--executed]]]        (default: resnet18 bf16)
# Builds the preset metered, trains on a small demo set and writes FOLDER/MODEL_PRECISION_BATCH.json: batches 2 and 4 as
# executed on the emulated device, batch 256 as a dry run, which gives the launch shapes, the calls and the peak memory.
# --executed executes batch 256 too, which takes 15 minutes, and writes MODEL_PRECISION_256_executed.json.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if (($# < 1 || $# > 4)) || [[ ${4:---executed} != --executed ]]; then
  stop "usage: tools/count_step.sh FOLDER [MODEL [PRECISION [--executed]]]"
fi
out=$1 model=${2:-resnet18} precision=${3:-bf16}
mkdir -p "$out"
build metered melgrad >/dev/null
melgrad=build/metered/melgrad
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$melgrad" synth "$scratch/music" --tracks-per-genre 3 --seconds 6 --quiet >/dev/null

# train BATCH CROPS [SUFFIX]: counts the third step of a training with CROPS crops of each of 20 tracks.
train() {
  METER=profiled METER_JSON=$out/${model}_${precision}_$1${3:-}.json "$melgrad" train "$scratch/music" --out "$scratch/run$1${3:-}" \
    --cache "$scratch/cache" --device cuda --model "$model" --precision "$precision" --batch-size "$1" --crop-frames 130 \
    --crops-per-track "$2" --epochs 1 --validation-fraction 0.34 --profile-steps 3:3 --quiet >/dev/null
}
train 2 1
train 4 1
MELGRAD_EMULATED_DRY_RUN=1 train 256 39
echo "$out: counts of a $model step in $precision at batches 2, 4 and 256 (shapes only)"
if (($# == 4)); then
  train 256 39 _executed
  echo "$out: counts of a step at batch 256 as executed"
fi
