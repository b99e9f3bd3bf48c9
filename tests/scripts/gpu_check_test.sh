#!/usr/bin/env bash
# Tests tools/gpu_check.sh without a GPU:   tests/scripts/gpu_check_test.sh SOURCE BUILD
# Replacements for nvidia-smi and ncu print the output of these programs on a GPU.
set -euo pipefail
source=$1 build=$2
scratch=$(mktemp --directory)
trap 'rm -rf "$scratch"' EXIT

mkdir "$scratch/bin"
cat >"$scratch/bin/nvidia-smi" <<'END'
#!/bin/sh
echo "name, compute_cap, memory.total [MiB]"
echo "A GPU of the test, 9.0, 1000 MiB"
END
cat >"$scratch/bin/ncu" <<'END'
#!/bin/bash
while [[ $1 != --log-file ]]; do shift; done
cat >"$2" <<'TABLE'
==PROF== Connected to process 1
"ID","Kernel Name","gpu__time_duration.sum","dram__throughput.avg.pct_of_peak_sustained_elapsed","sm__throughput.avg.pct_of_peak_sustained_elapsed"
"","","ns","%","%"
"0","a(int, float)","1,000","50","10"
"1","b(float)","6,000","90","20"
"2","a(int, float)","3,000","70","30"
"3","c()","100","1","1"
"4","d()","200","1","1"
"5","e()","300","1","1"
"6","f()","400","1","1"
TABLE
END
chmod +x "$scratch"/bin/*

export PATH=$scratch/bin:$PATH MELGRAD_CHECK_BUILD
MELGRAD_CHECK_BUILD=$(realpath --relative-to "$source" "$build")
"$source/tools/gpu_check.sh" --out "$scratch/out" machine profile >"$scratch/printed"
cat >"$scratch/expected" <<'END'
     6.0 us, 54.5 % of the step,   1 calls, memory  90 %, multiprocessors  20 % of their peak: b(float)
     4.0 us, 36.4 % of the step,   2 calls, memory  65 %, multiprocessors  25 % of their peak: a(int, float)
     0.4 us,  3.6 % of the step,   1 calls, memory   1 %, multiprocessors   1 % of their peak: f()
     0.3 us,  2.7 % of the step,   1 calls, memory   1 %, multiprocessors   1 % of their peak: e()
     0.2 us,  1.8 % of the step,   1 calls, memory   1 %, multiprocessors   1 % of their peak: d()
END
grep ' us, ' "$scratch/printed" | diff "$scratch/expected" -
grep --quiet 'A GPU of the test, 9.0' "$scratch/printed"
grep --quiet '^melgrad [0-9]' "$scratch/printed"
grep --quiet '^0 failed' "$scratch/printed"
grep --quiet '"stage": "profile", "seconds": [0-9]*, "failed": 0, "left_out": 0' "$scratch/out/summary.json"

# The script must fail if a training fails or a stage does not exist.
for wrong in 'training --data /nowhere' 'no_such_stage'; do
  # shellcheck disable=SC2086  # words
  if "$source/tools/gpu_check.sh" --out "$scratch/wrong" $wrong >"$scratch/printed" 2>&1; then
    echo "gpu_check.sh $wrong succeeded" >&2
    exit 1
  fi
done
