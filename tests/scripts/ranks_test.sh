#!/usr/bin/env bash
# ranks_test.sh PROGRAM: melgrad train as several processes. Exits with 77 (skipped) if there is no mpirun.
set -euo pipefail

program=$1
with_ranks=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/with_ranks.sh
command -v mpirun >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export MELGRAD_CACHE=$work/cache OMP_NUM_THREADS=1

fail() {
  echo "FAILED: $*" >&2
  for log in *.log; do printf '%s\n' "--- $log" && cat "$log"; done >&2
  exit 1
}
expect_same_run() {  # FOLDER FOLDER WHAT
  for file in training last best; do cmp "$1/$file.safetensors" "$2/$file.safetensors" || fail "$3: $file differs"; done
}
# Checks that the errors of our program in a log are one line, which contains the text.
expect_one_error() {  # LOG TEXT
  [[ $(grep -c '^melgrad: ' "$1") == 1 ]] || fail "$1 must hold one error"
  grep -q "^melgrad: .*$2" "$1" || fail "$1 must say: $2"
}

"$program" synth music --tracks-per-genre 2 --seconds 2 --quiet >/dev/null
options=(music --model cnn_bn --n-mels 32 --crop-frames 32 --validation-fraction 0.4 --epochs 2 --quiet)

# 12 training tracks: batches of 5, 5 and 2, so that some ranks have no example.
for ranks in 2 3 5; do
  "$program" train "${options[@]}" --batch-size 5 --accumulate "$ranks" --out "one$ranks" >/dev/null
  "$with_ranks" "$ranks" "$program" train "${options[@]}" --batch-size 5 --out "many$ranks" >"many$ranks.log" 2>&1 ||
    fail "$ranks ranks"
  expect_same_run "one$ranks" "many$ranks" "$ranks ranks"
done

# The same number of ranks resumes with the same bits; another number resumes too.
"$with_ranks" 3 "$program" train "${options[@]}" --batch-size 5 --epochs 1 --schedule constant --out part >part.log 2>&1
"$with_ranks" 3 "$program" train --resume --epochs 2 --quiet --out part >>part.log 2>&1 || fail "resume with 3 ranks"
"$with_ranks" 3 "$program" train "${options[@]}" --batch-size 5 --schedule constant --out whole >whole.log 2>&1
expect_same_run part whole "resumed run"
"$with_ranks" 2 "$program" train --resume --epochs 3 --quiet --out part >>part.log 2>&1 || fail "resume with 2 ranks"
"$program" train --resume --epochs 4 --quiet --out part >>part.log 2>&1 || fail "resume with one process"
[[ $(wc -l <part/log.jsonl) == 4 ]] || fail "4 epochs in the log"

# Ranks that disagree, and errors that all ranks meet.
"$with_ranks" 1 "$program" train "${options[@]}" --seed 1 --out x : -n 1 "$program" train "${options[@]}" --seed 2 \
  --out x >seeds.log 2>&1 && fail "other options"
expect_one_error seeds.log 'rank 1 has another value of --seed than rank 0: 2 instead of 1'
tuning=("${options[@]}" --init one2 --out x)
"$with_ranks" 1 "$program" train "${tuning[@]}" : -n 1 "$program" train "${tuning[@]}" --freeze block1 \
  >freeze.log 2>&1 && fail "an option of one rank only"
expect_one_error freeze.log "rank 1 has another value of --freeze than rank 0: 'block1' instead of none"
"$with_ranks" 1 "$program" train "${options[@]}" --out x2 : -n 1 "$program" train "${options[@]}" --residency disk \
  --cache-limit 1GB --out x2 >residency.log 2>&1 || fail "options of one machine"
(
  cd music
  echo path,label,split
  for file in */*.wav; do
    [[ $file == *.00000.wav ]] && split=validation || split=train
    echo "$file,${file%%/*},$split"
  done
) >music/labels.csv
sed '/^blues/s/,blues,/,rock,/; /^rock/s/,rock,/,blues,/' music/labels.csv >music/swapped.csv
"$with_ranks" 1 "$program" train music/labels.csv "${options[@]:1}" --out y : -n 1 "$program" train music/swapped.csv \
  "${options[@]:1}" --out y >swapped.log 2>&1 && fail "other labels"
expect_one_error swapped.log 'rank 1 has another digest of the data than rank 0'
rm music/*.csv
cp -r music other && rm -r other/*/*.00000.wav
"$with_ranks" 1 "$program" train "${options[@]}" --out x : -n 1 "$program" train other "${options[@]:1}" --out x \
  >data.log 2>&1 && fail "other data"
expect_one_error data.log 'rank '
"$with_ranks" 2 "$program" train nowhere --out x >missing.log 2>&1 && fail "no data"
expect_one_error missing.log 'nowhere: no such file or folder'
"$with_ranks" 2 "$program" cross-validate music --folds 2 --out cv >cv.log 2>&1 && fail "cross-validate"
expect_one_error cv.log 'mpirun started several processes of cross-validate'

# A rank that dies ends all; the run can be resumed.
for victim in 0 2; do
  rm -rf killed
  "$with_ranks" 3 "$program" train "${options[@]}" --epochs 100000 --batch-size 5 --out killed >"killed$victim.log" 2>&1 &
  for _ in {1..100}; do
    [[ -s killed/log.jsonl ]] && break
    sleep 0.1
  done
  for pid in $(pgrep -P "$!"); do
    tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$victim" && kill -KILL "$pid"
  done
  timeout 15 tail --pid=$! -f /dev/null || fail "rank $victim was killed, the others live on"
  wait $! && fail "a killed rank is an error"
  expect_one_error "killed$victim.log" "rank $victim.* ended without a message"
  "$program" train --resume --epochs 1 --quiet --out killed >resumed.log 2>&1 || fail "resume after a killed rank"
done
