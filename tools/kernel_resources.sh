#!/usr/bin/env bash
# Writes docs/kernel_resources.tsv: registers and shared memory of every CUDA kernel on every architecture, as ptxas reports
# them, and how many of its warps fit on a multiprocessor. Needs nvcc, no GPU.
#   tools/kernel_resources.sh           also builds the preset metered, for the block sizes that the tests launch
#   tools/kernel_resources.sh --check   takes the block sizes from the table and compares the rest with it
# Fails if a kernel spills registers to memory. Exit code 77: nvcc is missing, or not the version of the table.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

table=docs/kernel_resources.tsv
architectures=(75 80 86 89 90 100 120)
nvcc=$(cuda_compiler) || { echo "nvcc is not installed" && exit 77; }
version=$("$nvcc" --version | sed --quiet 's/.*release [0-9.]*, V\([0-9.]*\)$/\1/p')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [[ ${1:-} == --check ]]; then
  if ! grep --quiet --fixed-strings "nvcc $version," "$table"; then
    echo "this is nvcc $version, but $table is of $(sed --quiet 's/^# .*\(nvcc [0-9.]*\).*/\1/p' "$table")"
    exit 77
  fi
  awk -F '\t' '!/^#/ && $1 != "kernel" && $2 != "-" { print $1 "\t" $2 "\t" $3 }' "$table" >"$scratch/shapes.tsv"
else
  build metered metered_tests >"$scratch/build.txt" || stop "$(cat "$scratch/build.txt")"
  METER_SHAPES=$scratch/shapes.tsv build/metered/tests/kernels/device/emulated/meter/metered_tests \
    --gtest_filter='*Cuda*:*cuda*:*OnDevice*:FusedOps*:-Emulated*:*MemoryOnDevice*' >"$scratch/tests.txt" || stop "$(cat "$scratch/tests.txt")"
fi

targets=()
for architecture in "${architectures[@]}"; do targets+=(-gencode "arch=compute_$architecture,code=sm_$architecture"); done
# compile FILE: prints what ptxas reports about the kernels of a .cu file.
compile() {
  "$nvcc" -std=c++20 -I. -DMELGRAD_CUDA=1 -DFMT_USE_CONSTEXPR=1 "${targets[@]}" -fatbin -Xptxas -v \
    -o "$scratch/$(basename "$1").fatbin" "$1" 2>"$scratch/$(basename "$1").ptxas" || cat "$scratch/$(basename "$1").ptxas" >&2
}
for file in kernels/*.cu; do
  compile "$file" &
  (($(jobs -rp | wc --lines) < processors)) || wait -n
done
wait

cat "$scratch"/*.ptxas | c++filt | awk -v shapes="$scratch/shapes.tsv" -v spilled="$scratch/spilled" -v architectures="${architectures[*]}" '
  # "void melgrad::kernel::cuda::(anonymous namespace)::f<float, 4>(float const*)" -> "f<float, 4>"
  function short_name(name,   i, depth, c) {
    gsub(/melgrad::kernel::cuda::|\(anonymous namespace\)::|melgrad::kernel::|melgrad::|^void /, "", name)
    for (i = 1; i <= length(name); ++i) {
      c = substr(name, i, 1)
      depth += (c == "<") - (c == ">")
      if (c == "(" && depth == 0) return substr(name, 1, i - 1)
    }
    return name
  }
  function ceiling(value, unit) { return int((value + unit - 1) / unit) * unit }
  function least(a, b) { return a < b ? a : b }
  # Warps on a multiprocessor, from the table "Technical Specifications per Compute Capability" of the CUDA C++
  # Programming Guide. Registers are allocated in units of 256 a warp; 8.0 and newer reserve 1 KiB of shared memory a block.
  function resident_warps(architecture, threads, registers, shared,   warps, blocks) {
    warps = ceiling(threads, 32) / 32
    blocks = least(most_blocks[architecture], int(most_warps[architecture] / warps))
    blocks = least(blocks, int(int(65536 / ceiling(registers * 32, 256)) / warps))
    if (architecture >= 80) shared += 1024
    if (shared > 0) blocks = least(blocks, int(shared_kib[architecture] * 1024 / shared))
    return blocks * warps
  }
  function limits(architecture, warps, blocks, kib) {
    most_warps[architecture] = warps
    most_blocks[architecture] = blocks
    shared_kib[architecture] = kib
  }
  BEGIN {
    limits(75, 32, 16, 64); limits(80, 64, 32, 164); limits(86, 48, 16, 100); limits(89, 48, 24, 100)
    limits(90, 64, 32, 228); limits(100, 64, 32, 228); limits(120, 48, 24, 100)
    count = split(architectures, architecture_of, " ")
    while ((getline line < shapes) > 0) {
      split(line, field, "\t")
      if (field[2] + 0 > threads[field[1]] + 0) threads[field[1]] = field[2]
      if (field[3] + 0 > dynamic[field[1]] + 0) dynamic[field[1]] = field[3]
    }
  }
  /Compiling entry function/ {
    match($0, /\x27.*\x27 for/)
    kernel = short_name(substr($0, RSTART + 1, RLENGTH - 6))
    match($0, /sm_[0-9]+/)
    architecture = substr($0, RSTART + 3, RLENGTH - 3)
    kernels[kernel] = 1
  }
  /spill stores/ && !/ 0 bytes spill stores, 0 bytes spill loads/ { print kernel " on sm_" architecture ":" $0 > spilled }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/)
    used = substr($0, RSTART + 5, RLENGTH - 5) + 0
    if (used > registers[kernel, architecture] + 0) registers[kernel, architecture] = used
    if (match($0, /[0-9]+ bytes smem/) && substr($0, RSTART, RLENGTH - 11) + 0 > fixed[kernel] + 0) fixed[kernel] = substr($0, RSTART, RLENGTH - 11) + 0
  }
  END {
    for (kernel in kernels) {
      row = kernel "\t" (threads[kernel] ? threads[kernel] : "-") "\t" dynamic[kernel] + 0 "\t" fixed[kernel] + 0
      for (i = 1; i <= count; ++i) {
        used = registers[kernel, architecture_of[i]]
        row = row "\t" used "\t" (threads[kernel] ? resident_warps(architecture_of[i], threads[kernel], used, dynamic[kernel] + fixed[kernel]) : "-")
      }
      print row
    }
  }' | LC_ALL=C sort >"$scratch/rows.tsv"

{
  echo "# Made by tools/kernel_resources.sh from the reports of ptxas, nvcc $version, for each architecture: registers a thread, and"
  echo "# warps that fit on a multiprocessor with the largest block that the tests launch (-: the tests launch none)."
  printf 'kernel\tthreads of a block\tdynamic shared bytes\tstatic shared bytes'
  for architecture in "${architectures[@]}"; do printf '\tsm_%s registers\tsm_%s warps' "$architecture" "$architecture"; done
  echo
  cat "$scratch/rows.tsv"
} >"$scratch/table.tsv"

if [[ -s $scratch/spilled ]]; then stop "registers are spilled to memory by $(cat "$scratch/spilled")"; fi
if [[ ${1:-} == --check ]]; then
  diff "$table" "$scratch/table.tsv" || stop "$table is not current: run tools/kernel_resources.sh and commit it"
  echo "$table is current"
else
  cp "$scratch/table.tsv" "$table"
  echo "$table: $(wc --lines <"$scratch/rows.tsv") kernels"
fi
