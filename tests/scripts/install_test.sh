#!/usr/bin/env bash
# Installs a build, moves the installed tree and tests it there:   tests/scripts/install_test.sh SOURCE BUILD
set -euo pipefail
source=$1 build=$2
scratch=$(mktemp --directory)
trap 'rm -rf "$scratch"' EXIT

cmake --install "$build" --prefix "$scratch/installed" >/dev/null
prefix=$scratch/moved
mv "$scratch/installed" "$prefix"

for file in share/man/man1/melgrad.1 share/bash-completion/completions/melgrad share/zsh/vendor-completions/_melgrad \
  share/fish/vendor_completions.d/melgrad.fish include/melgrad/framework/tensor.h; do
  [[ -s $prefix/$file ]] || { echo "$file was not installed" >&2 && exit 1; }
done
"$(dirname "${BASH_SOURCE[0]}")/installed_tree.sh" "$source" "$prefix"
