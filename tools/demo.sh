#!/usr/bin/env bash
# Builds melgrad and trains a genre classifier on a small synthetic music collection: installs missing packages, builds,
# composes the music, trains, evaluates on held-out tracks, classifies three of them and draws pictures. Results go to demo/.
# A second run keeps results that are newer than the program; delete demo/ to start again.
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

# A file $demo/STEP.done marks a finished step; an interrupted step has none.
fresh() { [[ $demo/$1.done -nt $melgrad ]]; }
mark() { touch "$demo/$1.done"; }

# Prints the paths of test tracks in the run's split: the first track of the first, fourth and seventh genre.
held_out_tracks() {
  local tracks
  tracks=$(sed --quiet 's/^\([^,]*\),\([^,]*\),test\b.*/\2 \1/p' "$run/split.csv" | sort --stable --unique --key=1,1 |
    sed --quiet '1p;4p;7p' | cut --delimiter ' ' --fields 2-)
  [[ -n $tracks ]] || stop "$run/split.csv has no test track; delete $demo and run tools/demo.sh again"
  echo "$tracks"
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

heading "Evaluating on held-out tracks"
show "$melgrad" evaluate "$run" "$data"

heading "Classifying three held-out tracks"
mapfile -t tracks < <(held_out_tracks)
# The folder of a track is its true genre.
show "$melgrad" predict "$run" "${tracks[@]/#/$data/}" |
  sed --regexp-extended "s|^($data/)([^/]+)(/.*)|\\1\\2\\3  (truth: \\2)|"
show "$melgrad" mel "$data/${tracks[0]}" --png "$demo/mel.png"

heading "Done"
echo "The program      $melgrad (try: $melgrad --help)"
echo "The trained run  $run"
echo "Pictures         $(find "$demo" -name '*.png' | sort | paste -s -d ' ')"
