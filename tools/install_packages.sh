#!/usr/bin/env bash
# Installs the missing packages of tools/packages.txt with apt, through sudo unless run as root. On systems without apt
# it lists the missing software and fails if any is missing.
set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"

# Prints package|probe|purpose for every line of the list.
entries() { sed -e '/^#/d' -e 's/ *| */|/g' -e 's/ *$//' "$list"; }

installed_by_dpkg() { [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]; }

recognised() {
  local kind=${1%% *} what=${1#* }
  case $kind in
    command) command -v "$what" >/dev/null ;;
    header) "${CXX:-c++}" -E -x c++ - <<<"#include <$what>" >/dev/null 2>&1 ;;
    font) fc-list 2>/dev/null | grep --quiet "$what" ;;
  esac
}

missing_packages() {
  local package
  while IFS='|' read -r package _; do
    installed_by_dpkg "$package" || echo "$package"
  done < <(entries)
}

missing_elsewhere() {
  local package probe purpose
  while IFS='|' read -r package probe purpose; do
    recognised "$probe" || printf '  %-36s %s (Debian: %s)\n' "$probe" "$purpose" "$package"
  done < <(entries)
}

if ! command -v apt-get >/dev/null; then
  missing=$(missing_elsewhere)
  [[ -z $missing ]] && exit 0
  printf 'This system has no apt. Install these with its own package manager:\n%s\n' "$missing" >&2
  exit 1
fi

mapfile -t missing < <(missing_packages)
((${#missing[@]} == 0)) && exit 0

as_root=(env DEBIAN_FRONTEND=noninteractive)
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    printf 'sudo is not installed. Run as root: apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo "${as_root[@]}")
fi

echo "Installing with apt: ${missing[*]}"
apt=("${as_root[@]}" apt-get --quiet=2 --option DPkg::Lock::Timeout=120)
"${apt[@]}" update || echo "apt-get update failed; continuing with the package lists of the last update" >&2
if ! "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null; then
  echo "apt could not install the packages. Use Debian 12 or newer, or Ubuntu 24.04 or newer with 'universe' enabled." >&2
  exit 1
fi
