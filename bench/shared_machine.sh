#!/usr/bin/env bash
# Measures the training speed on a machine that is shared with other programs:
#   bench/shared_machine.sh [--runs N] [--json FILE] [--situations "quiet busy two"] PROGRAM...
# Each PROGRAM is a melgrad to compare, such as one built before a change and one built after it. The situations:
#   quiet    nothing else runs
#   busy     beside one endless loop for each processor
#   two      two trainings at once (the speed of the slower one)
# The programs take turns in every run. The figures are medians over the runs, in tracks/s, and their share of the
# program's quiet speed. The machine must be quiet otherwise. OMP_NUM_THREADS, OMP_WAIT_POLICY and the like apply.
set -euo pipefail

runs=5 json='' situations=(quiet busy two)
while (($# > 0)); do
  case $1 in
    --runs) runs=$2 && shift 2 ;;
    --json) json=$2 && shift 2 ;;
    --situations) read -r -a situations <<<"$2" && shift 2 ;;
    -*) echo "unknown option $1; the first lines of $0 list the options" >&2 && exit 2 ;;
    *) break ;;
  esac
done
(($# > 0)) || { echo "usage: $0 [--runs N] [--json FILE] [--situations LIST] PROGRAM..." >&2 && exit 2; }

work=$(mktemp -d)
busy=()
end_busy() {
  ((${#busy[@]} == 0)) || kill "${busy[@]}" 2>/dev/null || true
  wait "${busy[@]}" 2>/dev/null || true
  busy=()
}
trap 'end_busy; rm -rf "$work"' EXIT
export MELGRAD_CACHE=$work/cache

"$1" synth "$work/data" --quiet >/dev/null

# train PROGRAM RUN: trains as tools/demo.sh does, for four epochs.
train() {
  rm -rf "$2"
  "$1" train "$work/data" --model resnet_small --test-fraction 0.3 --validation-fraction 0.1 --epochs 4 \
    --crop-frames 172 --batch-size 16 --learning-rate 0.002 --mixup 0.2 --device cpu --quiet --out "$2" >/dev/null
}

median() {
  sort --general-numeric-sort |
    awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# speed RUN: the median of the epochs of a run, in tracks/s.
speed() { sed --quiet 's/.*"tracks_per_second":\([0-9.e+]*\).*/\1/p' "$1/log.jsonl" | median; }

measure_quiet() { train "$1" "$work/run" && speed "$work/run"; }

measure_busy() {
  for ((i = 0; i < $(nproc); ++i)); do
    (while :; do :; done) &
    busy+=($!)
  done
  train "$1" "$work/run"
  end_busy
  speed "$work/run"
}

measure_two() {
  train "$1" "$work/first" &
  train "$1" "$work/second"
  wait $!
  printf '%s\n' "$(speed "$work/first")" "$(speed "$work/second")" | sort --general-numeric-sort | head -n 1
}

train "$1" "$work/run" # fills the feature cache
for ((run = 1; run <= runs; ++run)); do
  for ((p = 1; p <= $#; ++p)); do
    for situation in "${situations[@]}"; do
      measure_"$situation" "${!p}" >>"$work/$p.$situation"
      echo "run $run of $runs: ${!p}, $situation: $(tail -n 1 "$work/$p.$situation") tracks/s" >&2
    done
  done
done

# share VALUE REFERENCE
share() { awk -v value="$1" -v reference="$2" 'BEGIN { printf "%.3f", value / reference }'; }

printf '%-40s %-10s %12s %10s\n' program situation tracks/s "of quiet"
records=()
for ((p = 1; p <= $#; ++p)); do
  for situation in "${situations[@]}"; do
    value=$(median <"$work/$p.$situation")
    of_quiet=null
    [[ ! -s $work/$p.quiet ]] || of_quiet=$(share "$value" "$(median <"$work/$p.quiet")")
    printf '%-40s %-10s %12.1f %10s\n' "${!p}" "$situation" "$value" "$of_quiet"
    records+=("{\"program\": \"$(basename "${!p}")\", \"situation\": \"$situation\", \"tracks_per_second\": $value, \
\"of_quiet\": $of_quiet, \"runs\": [$(paste --serial --delimiters , "$work/$p.$situation")]}")
  done
done
if [[ -n $json ]]; then
  {
    printf '{"processor": "%s", "processors": %s, "kernel": "%s", "results": [\n' \
      "$(sed --quiet 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname --kernel-release)"
    printf '%s' "${records[0]}"
    printf ',\n%s' "${records[@]:1}"
    printf '\n]}\n'
  } >"$json"
fi
