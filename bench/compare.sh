#!/usr/bin/env bash
# Compares melgrad with the programs that people use instead, on this machine's CPU:
#   bench/compare.sh [OPTION...]        the options are those of bench/compare.py, for example --models resnet18
# Builds melgrad and installs the other programs in a virtual environment (build/peers) the first time. The machine must
# be quiet otherwise.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"

python=$PWD/build/peers/bin/python
if [[ ! -x $python ]]; then
  python3 -m venv build/peers || stop "python3 cannot create a virtual environment; on Debian: apt-get install python3-venv"
fi
"$python" -c 'import audioflux, librosa, safetensors, torch, torchaudio' 2>/dev/null ||
  "$python" -m pip install --quiet torch torchaudio librosa audioflux safetensors numpy
build cpu melgrad_bench >/dev/null
build cpu melgrad >/dev/null
exec "$python" bench/compare.py "$@"
