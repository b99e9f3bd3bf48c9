#!/usr/bin/env bash
# suspended_ranks_test.sh PROGRAM: ranks that are all stopped for longer than a rank waits for another, as by
# scontrol suspend, train on afterwards. Exits with 77 (skipped) if there is no mpirun.
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
  cat train.log >&2
  exit 1
}
epochs() { wc -l <run/log.jsonl; }

"$program" synth music --tracks-per-genre 2 --seconds 2 --quiet >/dev/null
"$with_ranks" 2 "$program" train music --model cnn_bn --n-mels 32 --crop-frames 32 --validation-fraction 0.4 \
  --epochs 100000 --quiet --out run >train.log 2>&1 &
launcher=$!
for _ in {1..100}; do
  [[ -s run/log.jsonl ]] && break
  sleep 0.1
done
[[ -s run/log.jsonl ]] || fail "no epoch was trained"
mapfile -t ranks < <(pgrep -P "$launcher")
kill -STOP "${ranks[@]}"
sleep 12
before=$(epochs)
kill -CONT "${ranks[@]}"
for _ in {1..50}; do
  (($(epochs) > before)) && break
  sleep 0.1
done
(($(epochs) > before)) || fail "no epoch was trained after the pause"
sleep 1
kill -0 "$launcher" || fail "the ranks ended after the pause"
kill -TERM "$launcher"
wait "$launcher" || true
