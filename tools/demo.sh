#!/usr/bin/env bash
# From nothing to a trained genre classifier: installs what is missing, builds, composes a small music collection,
# trains on it, evaluates on held-out tracks, classifies one file and draws pictures. All of it lands in demo/.
# Run again, it keeps what is newer than the program; delete demo/ to begin anew.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

demo=demo data=demo/data run=demo/run
preset=cpu
melgrad=build/$preset/melgrad

# show COMMAND...: prints a command and runs it.
show() {
  printf '$ %s\n' "$*"
  "$@"
}

# The marks $demo/*.done tell a finished step from one that was interrupted.
fresh() { [[ $demo/$1.done -nt $melgrad ]]; }
mark() { touch "$demo/$1.done"; }

# The first track that the run's split names a test track.
held_out_track() {
  local path
  path=$(sed --quiet 's/^\([^,]*\),.*,test\r\?$/\1/p' "$run/split.csv" | head -n 1)
  [[ -n $path ]] || stop "$run/split.csv names no test track; delete $demo and run this again"
  echo "$data/$path"
}

tools/install_packages.sh

heading "Building (preset $preset)"
build "$preset" melgrad
mkdir -p "$demo"

heading "Composing ten genres of music"
if fresh data; then
  echo "keeping $data"
else
  rm -rf "$data"
  show "$melgrad" synth "$data"
  mark data
fi

heading "Training"
if fresh run && [[ $demo/run.done -nt $demo/data.done ]]; then
  echo "keeping $run"
else
  rm -rf "$run"
  show "$melgrad" train "$data" --model resnet_small --test-fraction 0.3 --validation-fraction 0.1 --epochs 40 \
    --crop-frames 172 --batch-size 16 --learning-rate 0.002 --mixup 0.2 --out "$run"
  mark run
fi

heading "Evaluating on the tracks held out"
show "$melgrad" evaluate "$run" "$data"

heading "Classifying one of them"
track=$(held_out_track)
show "$melgrad" predict "$run" "$track"
show "$melgrad" mel "$track" --png "$demo/mel.png"

heading "Done"
echo "The program      $melgrad (try: $melgrad --help)"
echo "The trained run  $run"
echo "Pictures         $(find "$demo" -name '*.png' | sort | paste -s -d ' ')"
