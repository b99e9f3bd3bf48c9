#!/usr/bin/env bash
# floors_test.sh SOURCE: checks that includes point down only. Prints file:line, the include and the broken rule.
#   apps > models > framework > kernels; nothing of these includes bench/, docs/, tests/ or tools/
#   bench/ and docs/ include nothing of tests/
#   kernels/device/ includes no header of an op (kernels/*.h), except the host versions of libraries
#   framework/*.{h,cpp} include none of its folders; audio/ nothing of dataset/, training/ and prediction/; training/
#   nothing of audio/, dataset/ and prediction/; dataset/ nothing of prediction/; io/ and terminal/ nothing of these four
#   CUDA headers are included by .cu, .cuh, the cuDNN wrapper, the emulated device and their tests
# Every quoted include is a path from the root, so that this script sees where it points.
# The script first checks itself: it plants an include for each rule in a temporary tree and expects to find it.
set -euo pipefail
export LC_ALL=C

# find_violations ROOT
# shellcheck disable=SC2016  # an awk program
find_violations() {
  (
    cd "$1"
    find . -regextype posix-extended -regex '\./(kernels|framework|models|apps|tests|bench|docs)/.*\.(h|cpp|cu|cuh)' \
      -type f -printf '%P\0' |
      sort -z | xargs -0 -r awk '
        function report(rule) { printf "%s:%d: %s: %s\n", FILENAME, FNR, $0, rule }
        function starts(text, prefix) { return index(text, prefix) == 1 }
        BEGIN { floor["kernels"] = 1; floor["framework"] = 2; floor["models"] = 3; floor["apps"] = 4 }
        !/^[ \t]*#[ \t]*include/ { next }
        {
          included = $0
          sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", included)
          sub(/[">].*$/, "", included)
          split(FILENAME, from, "/"); split(included, to, "/")
          if ($0 ~ /include[ \t]*"/ && !(to[1] in floor) && to[1] !~ /^(tests|bench|docs)$/)
            report("a quoted include is a path from the root of the sources")
          if (from[1] in floor) {
            if ((to[1] in floor) && floor[to[1]] > floor[from[1]])
              report("apps > models > framework > kernels: includes point down")
            if (to[1] ~ /^(tests|bench|docs|tools)$/) report("sources include nothing of tests/, bench/, docs/ or tools/")
          } else if (from[1] != "tests" && to[1] == "tests") {
            report("only tests/ includes tests/")
          }
          if (starts(FILENAME, "kernels/device/") && !starts(FILENAME, "kernels/device/emulated/libraries/") &&
              included ~ /^kernels\/[^\/]+$/)
            report("kernels/device/ includes no op")
          if (FILENAME ~ /^framework\/[^\/]+$/ && included ~ /^framework\/.+\//)
            report("the root of framework/ includes none of its folders")
          if (starts(FILENAME, "framework/training/") && included ~ /^framework\/(audio|dataset|prediction)\//)
            report("training/ includes nothing of audio/, dataset/ or prediction/")
          if (starts(FILENAME, "framework/audio/") && included ~ /^framework\/(dataset|training|prediction)\//)
            report("audio/ includes nothing of dataset/, training/ or prediction/")
          if (starts(FILENAME, "framework/dataset/") && included ~ /^framework\/prediction\//)
            report("dataset/ includes nothing of prediction/")
          if (FILENAME ~ /^framework\/(io|terminal)\// && included ~ /^framework\/(audio|dataset|training|prediction)\//)
            report("io/ and terminal/ include nothing of audio/, dataset/, training/ or prediction/")
          if ((included ~ /\.cuh$/ || included ~ /(^|\/)(cuda|cuda_[^\/]*|cublas[^\/]*|cufft[^\/]*|cudnn[^\/]*)\.h$/ ||
               included ~ /(^|\/)nv(tx|Tools)[^\/]*/) &&
              FILENAME !~ /\.cuh?$/ && FILENAME !~ /^kernels\/device\/cudnn\/[^\/]*\.cpp$/ &&
              !starts(FILENAME, "kernels/device/emulated/") && !starts(FILENAME, "tests/kernels/device/cudnn/") &&
              !starts(FILENAME, "tests/kernels/device/emulated/"))
            report("CUDA headers are included by .cu and .cuh only")
        }'
  )
}

fail() {
  echo "floors_test: $*" >&2
  exit 1
}

# expect FILE INCLUDE [RULE]: what is found when FILE includes INCLUDE; without RULE nothing is.
expect() {
  rm -rf "${planted:?}"/*
  mkdir -p "$planted/$(dirname "$1")"
  printf '// A file.\n#include %s\n' "$2" > "$planted/$1"
  local found
  found=$(find_violations "$planted")
  if [[ -z ${3-} ]]; then
    [[ -z $found ]] || fail "$1 may include $2, found: $found"
  else
    [[ $found == "$1:2: #include $2: "*"$3"* ]] || fail "$1 includes $2, found: '$found'"
  fi
}

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
expect kernels/relu.cpp '"framework/tensor.h"' 'includes point down'
expect framework/ops.cpp '"models/cnn.h"' 'includes point down'
expect models/cnn.cpp '"apps/command.h"' 'includes point down'
expect apps/train.cpp '"kernels/relu.h"'
expect framework/tensor.h '"tests/support/paths.h"' 'sources include nothing of tests/'
expect apps/train.cpp '"bench/timing.h"' 'sources include nothing of tests/'
expect bench/main.cpp '"tests/support/paths.h"' 'only tests/ includes tests/'
expect tests/a_test.cpp '"tests/support/paths.h"'
expect kernels/relu.cpp '"relu.h"' 'a path from the root'
expect apps/command.cpp '"../framework/tensor.h"' 'a path from the root'
expect kernels/device/stream.cpp '"kernels/relu.h"' 'kernels/device/ includes no op'
expect kernels/device/emulated/libraries/convolve.cpp '"kernels/conv2d.h"'
expect framework/ops.h '"framework/io/npy.h"' 'the root of framework/'
expect framework/training/trainer.h '"framework/dataset/split.h"' 'training/ includes nothing'
expect framework/audio/log_mel.cpp '"framework/dataset/split.h"' 'audio/ includes nothing'
expect framework/io/picture.h '"framework/audio/log_mel.h"' 'io/ and terminal/ include nothing'
expect framework/terminal/text.h '"framework/dataset/split.h"' 'io/ and terminal/ include nothing'
expect framework/dataset/clip_store.h '"framework/audio/log_mel.h"'
expect framework/dataset/split.h '"framework/prediction/answer.h"' 'dataset/ includes nothing'
expect framework/prediction/timeline.h '"framework/audio/log_mel.h"'
expect kernels/relu.cpp '<cuda_runtime.h>' 'CUDA headers'
expect framework/ops.cpp '<cudnn.h>' 'CUDA headers'
expect framework/ops.cpp '<nvtx3/nvToolsExt.h>' 'CUDA headers'
expect kernels/relu.h '"kernels/device/cuda.cuh"' 'CUDA headers'
expect kernels/relu.cu '"kernels/device/cuda.cuh"'
expect kernels/device/cudnn/graph.cpp '"kernels/device/cudnn/graph.cuh"'

violations=$(find_violations "$1")
[[ -z $violations ]] || fail $'includes that break a rule:\n'"$violations"
echo "floors_test: all includes point down"
