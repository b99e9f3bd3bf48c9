# Functions that the scripts in this folder share; sourced, not run. Changes to the project's folder.
# shellcheck shell=bash disable=SC2034
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

processors=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)

heading() { printf '\n== %s\n' "$*"; }

stop() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Prints the path of nvcc; fails if it is not installed.
cuda_compiler() {
  command -v nvcc && return
  [[ -x /usr/local/cuda/bin/nvcc ]] && echo /usr/local/cuda/bin/nvcc
}

# Makes warnings errors when CI is set, also in a build folder that was configured without CI.
strictness=(${CI:+-D MELGRAD_WARNINGS_AS_ERRORS=ON})

# build PRESET [TARGET]: configures and builds build/PRESET, or one target in it.
build() {
  if [[ $1 == cuda ]]; then CUDACXX=$(cuda_compiler) && export CUDACXX; fi
  cmake --preset "$1" "${strictness[@]}" >/dev/null && cmake --build --preset "$1" --parallel "$processors" --target "${2:-all}"
}

# copy_sources FOLDER: copies the working tree without the files that git ignores.
copy_sources() {
  mkdir -p "$1"
  git ls-files --cached --others --exclude-standard -z | tar --create --null --files-from - | tar --extract --directory "$1"
}
