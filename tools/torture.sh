#!/usr/bin/env bash
# Kills trainings (kill -9) at random moments and resumes each. A resumed run must be bit-identical to an uninterrupted
# one. The script composes its own music; every training starts with an empty feature cache.
#   tools/torture.sh [--kills N] [--seed N] [--model NAME] [PROGRAM]
# Defaults: 200 kills of build/cpu/melgrad training cnn_bn. Half of the moments are during feature extraction, half at
# any time. Checkpoints are written after every epoch, at most once a minute, or within epochs, in turn. Prints a table.
# Fails if a resumed run differs, cannot continue, or leaves an unfinished file.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kills=200 seed=1 model=cnn_bn melgrad=build/cpu/melgrad
while (($# > 0)); do
  case $1 in
    --kills) kills=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --model) model=$2 && shift 2 ;;
    -*) stop "usage: tools/torture.sh [--kills N] [--seed N] [--model NAME] [PROGRAM]" ;;
    *) melgrad=$1 && shift ;;
  esac
done
[[ -x $melgrad ]] || stop "$melgrad does not exist; build it: cmake --preset cpu && cmake --build --preset cpu"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OMP_WAIT_POLICY=passive
RANDOM=$seed
intervals=(0 60 0.001) # --checkpoint-seconds
declare -i attempt=0

# train RUN CACHE [OPTIONS...]
train() {
  local run=$1 cache=$2
  shift 2
  exec "$melgrad" train "$scratch/music" --out "$run" --cache "$cache" --model "$model" --epochs 3 --crop-frames 32 \
    --batch-size 4 --n-mels 32 --seed 3 --quiet \
    --checkpoint-seconds "${intervals[attempt / 2 % 3]}" "$@" >"$scratch/said" 2>&1
}

milliseconds() { local now=${EPOCHREALTIME/./}; echo $((now / 1000)); }
pause() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }

# Prints a run's log without its times.
log_of() { sed --regexp-extended 's/"(seconds|time|tracks_per_second)":[^,]*,//g' "$1/log.jsonl"; }

same_run() {
  local file
  for file in training last best; do cmp --silent "$1/$file.safetensors" "$2/$file.safetensors" || return 1; done
  cmp --silent <(log_of "$1") <(log_of "$2")
}

unfinished_files() { find "$@" -name '*.tmp' 2>/dev/null | wc -l; }

heading "An uninterrupted run"
"$melgrad" synth "$scratch/music" --tracks-per-genre 3 --seconds 10 --quiet >/dev/null
began=$(milliseconds)
(train "$scratch/reference" "$scratch/reference_cache") &
until [[ -e $scratch/reference/training.safetensors ]]; do
  kill -0 $! 2>/dev/null || stop "$(cat "$scratch/said")"
  sleep 0.005
done
caching=$(($(milliseconds) - began))
wait $!
whole=$(($(milliseconds) - began))
echo "$whole ms in total, $caching ms until the first checkpoint"

heading "$kills kills"
declare -Ai killed=([features]=0 [training]=0) resumed=([features]=0 [training]=0)
declare -Ai writing=([features]=0 [training]=0)
declare -i done=0 left=0
while ((done < kills)); do
  run=$scratch/run cache=$scratch/cache
  rm -rf "$run" "$cache"
  attempt+=1
  moment=$(((RANDOM * 32768 + RANDOM) % (attempt % 2 == 0 ? caching : whole)))
  (train "$run" "$cache") &
  process=$!
  pause "$moment"
  kill -KILL "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null && continue # the training ended before the kill
  phase=features resume=()
  if [[ -e $run/training.safetensors ]]; then phase=training resume=(--resume); fi
  done+=1 killed[$phase]+=1
  if (($(unfinished_files "$run" "$cache") > 0)); then writing[$phase]+=1; fi
  if ! (train "$run" "$cache" "${resume[@]}"); then
    echo "killed after $moment ms: $(cat "$scratch/said")"
  elif ! same_run "$scratch/reference" "$run"; then
    echo "killed after $moment ms: the result differs from the uninterrupted run"
  else
    resumed[$phase]+=1
  fi
  left+=$(unfinished_files "$run")
done

row='%-28s %6s %20s %22s\n'
# shellcheck disable=SC2059
{
  printf "$row" 'killed while' kills 'during a write' 'resumed, identical'
  printf "$row" 'caching features' "${killed[features]}" "${writing[features]}" "${resumed[features]}"
  printf "$row" 'training' "${killed[training]}" "${writing[training]}" "${resumed[training]}"
  printf "$row" 'total' "$done" $((writing[features] + writing[training])) $((resumed[features] + resumed[training]))
}
echo "$left unfinished files remain in run folders"
((resumed[features] + resumed[training] == done && left == 0))
