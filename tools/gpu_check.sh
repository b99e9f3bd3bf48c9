#!/usr/bin/env bash
# Runs all checks that need a real GPU, in stages of less than 9 minutes each on a large GPU:
#   tools/gpu_check.sh [--out FOLDER] [--data FOLDER] [STAGE...]
#   machine        prints the GPU, its driver and the libraries
#   tests          runs the whole test suite on the GPU
#   sanitizer      runs the kernel tests under compute-sanitizer: memcheck, racecheck, initcheck and synccheck
#   determinism    runs the same training twice with --deterministic and compares the weights bit by bit
#   benchmarks     times log-mel, every op and a training step, and compares them with ceilings measured in the same run
#   peers          times PyTorch and torchaudio on the same shapes
#   training       runs one training on real data (--data: a data set with folds)
#   profile        prints the five heaviest kernels that ncu measures
# Without STAGE: all stages. --out (default build/gpu_check) receives the printed report as report.txt, and JSON files.
# The script installs nothing and uses no network. A stage whose tools are missing is reported as left out, which is not
# a failure. Inside a bundle (tools/bundle.sh) the script tests the bundle; otherwise it builds the preset cuda.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

all_stages=(machine tests sanitizer determinism benchmarks peers training profile)
out=build/gpu_check data='' stages=()
while (($# > 0)); do
  case $1 in
    --out) out=$2 && shift 2 ;;
    --data) data=$2 && shift 2 ;;
    -*) echo "gpu_check.sh: unknown option $1; it takes --out FOLDER, --data FOLDER and stages: ${all_stages[*]}" >&2 && exit 2 ;;
    *)
      [[ " ${all_stages[*]} " == *" $1 "* ]] || { echo "gpu_check.sh: unknown stage $1; choose from: ${all_stages[*]}" >&2 && exit 2; }
      stages+=("$1") && shift
      ;;
  esac
done
((${#stages[@]} > 0)) || stages=("${all_stages[@]}")
mkdir -p "$out" && out=$(cd "$out" && pwd)
# To test this script without a GPU, set MELGRAD_CHECK_DEVICE (cpu), MELGRAD_CHECK_BUILD (a build folder, such as
# build/emulated), and MELGRAD_CHECK_BENCHMARKS and MELGRAD_CHECK_TRAINING (options that make both smaller).
device=${MELGRAD_CHECK_DEVICE:-cuda}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export MELGRAD_CACHE=$scratch/cache

failures=0 left_out=0
say() { printf '%s\n' "$*" | tee --append "$out/report.txt"; }
lacking() { say "$1: left out, $2" && ((left_out += 1)); }
failed() { say "$1: FAILED, $2" && ((failures += 1)); }

# The programs come from the bundle or are built here.
if [[ -x bin/run ]]; then
  melgrad=("$root/melgrad") tests=("$root/melgrad_tests") bench=("$root/melgrad_bench")
else
  build=${MELGRAD_CHECK_BUILD:-build/cuda}
  if [[ -z ${MELGRAD_CHECK_BUILD:-} ]]; then
    architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head --lines 1 | tr --delete .)
    if ! cmake --preset cuda -D MELGRAD_CUDA_ARCHITECTURES="$architecture" >/dev/null ||
      ! cmake --build --preset cuda --parallel "$(nproc)"; then
      echo "gpu_check.sh: the preset cuda does not build; see the errors above" >&2
      exit 1
    fi
  fi
  melgrad=("$root/$build/melgrad") tests=("$root/$build/tests/melgrad_tests") bench=("$root/$build/bench/melgrad_bench")
fi
python=${PYTHON:-python3}

# run_tests FILTER LIMIT [LAUNCHER...]: runs the tests in one process per processor, which share the GPU, for at most
# LIMIT seconds, and prints their output.
run_tests() {
  local filter=$1 limit=$2 shards shard
  shards=$(nproc)
  shift 2
  for ((shard = 0; shard < shards; ++shard)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive timeout --kill-after=5 "$limit" \
      "$@" "${tests[@]}" --gtest_filter="$filter" --gtest_brief=0 >"$scratch/shard$shard.txt" 2>&1 ||
      echo "shard $shard ended with $?" >>"$scratch/shard$shard.txt" &
  done
  wait
  cat "$scratch"/shard*.txt
  rm -f "$scratch"/shard*.txt
}
count() { grep --count --extended-regexp "$1" "$2" || true; }

stage_machine() {
  if command -v nvidia-smi >/dev/null; then
    say "$(nvidia-smi --query-gpu=name,compute_cap,memory.total,driver_version,clocks.max.sm,power.limit --format=csv)"
  else
    lacking nvidia-smi "not on the PATH"
  fi
  say "$(nproc) processors, Linux $(uname --kernel-release)"
  say "$("${melgrad[@]}" --version)"
}

stage_tests() {
  run_tests '*' 520 >"$scratch/tests.txt"
  local bad
  bad=$(count '^\[  FAILED  \] .*\(|ended with' "$scratch/tests.txt")
  say "tests: $(count '^\[       OK \]' "$scratch/tests.txt") passed, $bad failed, $(count '^\[  SKIPPED \] .*\(' "$scratch/tests.txt") skipped"
  if ((bad > 0)); then
    failed tests "see failures.txt"
    grep --extended-regexp --before-context 12 '^\[  FAILED  \]|ended with' "$scratch/tests.txt" >>"$out/failures.txt"
  fi
}

stage_sanitizer() {
  local tool sanitizer
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) ||
    { lacking sanitizer "compute-sanitizer is not installed" && return; }
  for tool in memcheck racecheck initcheck synccheck; do
    run_tests '*Kernel*Cuda*:*/CastKernel.*:*/DropoutOnDevice.*:*/OpOnDevice.*:FusedOps.*:LimitDynamicRange.*:Generator.*' 130 env MELGRAD_TEST_DETERMINISTIC=1 "$sanitizer" --tool "$tool" --error-exitcode 7 --target-processes all \
      >"$scratch/$tool.txt"
    if grep --quiet --extended-regexp 'ended with|^\[  FAILED  \]' "$scratch/$tool.txt"; then
      failed "sanitizer $tool" "see failures.txt"
      grep --extended-regexp '=========|FAILED|ended with' "$scratch/$tool.txt" | head --lines 200 >>"$out/failures.txt"
    else
      say "sanitizer $tool: clean, $(count '^\[       OK \]' "$scratch/$tool.txt") tests"
    fi
  done
}

demo_set() {
  [[ -d $scratch/demo ]] || "${melgrad[@]}" synth "$scratch/demo" --tracks-per-genre 8 --seconds 6 --quiet
}
# train FOLDER OPTIONS...: trains for two epochs on the demo set.
train() {
  local run=$1
  shift
  timeout 125 "${melgrad[@]}" train "$scratch/demo" --out "$run" --device "$device" --test-fraction 0.3 --epochs 2 --quiet --json \
    --crop-frames 172 --batch-size 16 "$@" >"$run.json"
}

stage_determinism() {
  demo_set
  local precision
  for precision in fp32 tf32 bf16 fp16; do
    if train "$scratch/a_$precision" --deterministic --precision "$precision" &&
      train "$scratch/b_$precision" --deterministic --precision "$precision" --no-graphs &&
      cmp "$scratch/a_$precision/last.safetensors" "$scratch/b_$precision/last.safetensors"; then
      say "determinism $precision: trainings with and without CUDA graphs gave bit-identical weights"
    else
      failed "determinism $precision" "trainings with and without CUDA graphs gave different weights, or one failed"
    fi
  done
}

# beside_prediction MEASURED PREDICTED: prints the measured times of a training step, submitted and as a CUDA graph, beside
# those that tools/predict_gpu predicted for this GPU. MEASURED is the JSON of melgrad_bench, PREDICTED that of predict_gpu.
beside_prediction() {
  local gpu
  gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head --lines 1)
  awk -v gpu="$gpu" '
    function compare(what, measured, predicted) {
      if (!measured) printf "training step, %s: not measured\n", what
      else if (!predicted) printf "training step, %s: measured %.2f ms; there is no prediction for %s\n", what, measured, gpu
      else printf "training step, %s: measured %.2f ms, predicted %.2f ms for %s: %+.0f %%\n", what, measured, predicted, found, 100 * (predicted / measured - 1)
    }
    FNR == NR {
      if ($1 == "\"training_step\":") inside = 1
      if (inside && $1 == "\"seconds\":") submitted = 1e3 * $2
      if (inside && $1 == "\"graph_seconds\":") recorded = 1e3 * $2
      if ($1 ~ /^}/) inside = 0
      next
    }
    /^  "[^"]+": \{/ { split($0, part, "\""); chip = part[2]; here = index(gpu, chip) > 0 }
    here && $1 == "\"eager_seconds\":" { eager = 1e3 * $2; found = chip }
    here && $1 == "\"captured_seconds\":" { captured = 1e3 * $2 }
    END {
      compare("submitted", submitted, eager)
      compare("as a CUDA graph", recorded, captured)
    }' "$1" "$2"
}

stage_benchmarks() {
  local precision
  for precision in fp32 bf16; do
    # shellcheck disable=SC2086  # words
    timeout 260 "${bench[@]}" --device "$device" --precision "$precision" ${MELGRAD_CHECK_BENCHMARKS:-} --json "$out/benchmarks_$precision.json" 2>&1 |
      tee --append "$out/report.txt"
    ((PIPESTATUS[0] == 0)) || failed "benchmarks $precision" "see the error above; the time limit is 260 s"
  done
  say "$(beside_prediction "$out/benchmarks_bf16.json" bench/results/predicted_resnet18_bf16_fused.json)"
}

stage_peers() {
  "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null ||
    { lacking peers "$python has no PyTorch with CUDA" && return; }
  timeout 530 "$python" bench/gpu_pytorch.py --out "$out/pytorch.json" 2>&1 | tee --append "$out/report.txt"
  ((PIPESTATUS[0] == 0)) || failed peers "see the error above"
}

stage_training() {
  [[ -n $data ]] || { lacking training "--data was not given" && return; }
  # shellcheck disable=SC2086  # words
  if timeout 500 "${melgrad[@]}" train "$data" --out "$scratch/real" --fold 0 --device "$device" --quiet --json \
    ${MELGRAD_CHECK_TRAINING:-} >"$scratch/train.json" &&
    timeout 30 "${melgrad[@]}" evaluate "$scratch/real" "$data" --split test --device "$device" --json >"$scratch/evaluate.json"; then
    printf '{"train": %s, "evaluate": %s}\n' "$(cat "$scratch/train.json")" "$(cat "$scratch/evaluate.json")" >"$out/training.json"
    say "training: $(tr --delete '\n' <"$scratch/train.json")"
  else
    failed training "melgrad train or melgrad evaluate failed, or took longer than 500 s or 30 s"
  fi
}

# heaviest FILE: prints the five kernels of ncu's table with the largest total time in the profiled step.
heaviest() {
  awk -F '","' '
    /^"/ && !columns { for (i = 1; i <= NF; ++i) { gsub(/"/, "", $i); column[$i] = i }; columns = 1; next }
    /^"[0-9]/ {
      gsub(/^"|"$/, "")
      name = $column["Kernel Name"]
      nanoseconds = $column["gpu__time_duration.sum"]
      gsub(/,/, "", nanoseconds)
      calls[name] += 1
      time[name] += nanoseconds
      all += nanoseconds
      memory[name] += nanoseconds * $column["dram__throughput.avg.pct_of_peak_sustained_elapsed"]
      arithmetic[name] += nanoseconds * $column["sm__throughput.avg.pct_of_peak_sustained_elapsed"]
    }
    END {
      for (name in time) {
        printf "%8.1f us, %4.1f %% of the step, %3d calls, memory %3.0f %%, multiprocessors %3.0f %% of their peak: %s\n",
          time[name] / 1e3, 100 * time[name] / all, calls[name], memory[name] / time[name], arithmetic[name] / time[name],
          substr(name, 1, 100)
      }
    }' "$1" | sort --general-numeric-sort --reverse | head --lines 5
}

stage_profile() {
  local ncu table=$out/ncu.csv
  ncu=$(command -v ncu || ls /usr/local/cuda/bin/ncu 2>/dev/null) || { lacking profile "ncu is not installed" && return; }
  demo_set
  # shellcheck disable=SC2086  # words
  timeout 500 "$ncu" --profile-from-start off --csv --page raw --print-units base --log-file "$table" \
    --metrics gpu__time_duration.sum,dram__throughput.avg.pct_of_peak_sustained_elapsed,sm__throughput.avg.pct_of_peak_sustained_elapsed \
    "${melgrad[@]}" train "$scratch/demo" --out "$scratch/profiled" --device "$device" --epochs 2 --test-fraction 0.3 \
    ${MELGRAD_CHECK_TRAINING:---model resnet18 --batch-size 16} --quiet --profile-steps 4:4 >"$scratch/ncu.txt" 2>&1 ||
    { lacking profile "ncu failed: $(tail --lines 1 "$table" "$scratch/ncu.txt" 2>/dev/null | tr '\n' ' ')" && return; }
  say "$(heaviest "$table")"
}

((${#stages[@]} < ${#all_stages[@]})) || rm -f "$out/report.txt" "$out/failures.txt"
summary=()
for stage in "${stages[@]}"; do
  say "== $stage, $(date +%T)"
  SECONDS=0 failures_before=$failures left_out=0
  "stage_$stage"
  say "== $stage took $SECONDS s"
  summary+=("{\"stage\": \"$stage\", \"seconds\": $SECONDS, \"failed\": $((failures - failures_before)), \"left_out\": $left_out}")
done
printf '{"stages": [%s]}\n' "$(IFS=, && echo "${summary[*]}")" >"$out/summary.json"
say "$failures failed; results in $out"
((failures == 0))
