#!/usr/bin/env bash
# bin/run of a bundle: starts a program in bin/ with the bundle's libraries and the machine's CUDA libraries. The program
# is the one that the symbolic link to this script is named after, or else the first argument. CUDA libraries are searched
# in the loader's folders, in those of the CUDA toolkit and in those of pip packages.
set -euo pipefail
program=$(basename "${BASH_SOURCE[0]}")
if [[ $program == run ]]; then
  program=${1:?usage: run PROGRAM ARGUMENTS...}
  shift
fi
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

# Prints folders that may hold CUDA libraries, the most likely first.
candidates() {
  printf '%s\n' "${CUDA_HOME:-}/lib64" "${CUDA_PATH:-}/lib64" "${CUDNN_PATH:-}/lib" /usr/local/cuda/lib64
  printf '%s\n' /usr/local/cuda-*/lib64 /usr/local/cuda*/targets/x86_64-linux/lib /opt/cuda*/lib64 /opt/*/cuda*/lib64
  local python
  for python in "${PYTHON:-}" python3 python; do
    if [[ -z $python ]] || ! command -v "$python" >/dev/null; then continue; fi
    "$python" - 2>/dev/null <<'PYTHON' || true
import glob, sys
for folder in sys.path:
    for found in sorted(glob.glob(folder + "/nvidia/*/lib")):
        print(found)
PYTHON
  done
}

folders=$here/lib missing=()
while read -r library; do
  [[ $(/sbin/ldconfig -p 2>/dev/null) == *"$library "* ]] && continue
  found=
  while read -r folder; do
    if [[ -e $folder/$library ]]; then found=$folder && break; fi
  done < <(tr : '\n' <<<"${LD_LIBRARY_PATH:-}"; candidates)
  if [[ -z $found ]]; then
    missing+=("$library")
  elif [[ :$folders: != *":$found:"* ]]; then
    folders+=:$found
  fi
done <"$here/lib/cuda-libraries.txt"
if ((${#missing[@]} > 0)); then
  echo "melgrad: cannot find ${missing[*]}; install CUDA ${missing[0]##*.} and cuDNN 9, or add their folders to LD_LIBRARY_PATH" >&2
  exit 1
fi

export LD_LIBRARY_PATH=$folders${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export FONTCONFIG_FILE=$here/fonts/fonts.conf
export MELGRAD_FIXTURES=$here/tests/fixtures MELGRAD_PROGRAM=$here/bin/melgrad
exec "$here/bin/$program" "$@"
