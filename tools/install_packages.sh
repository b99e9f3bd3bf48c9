#!/usr/bin/env bash
# Installs what building melgrad needs and this machine lacks (tools/packages.txt), through apt, with sudo unless root.
# Where there is no apt it names what is missing and fails if anything is.
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
  printf 'There is no apt here. Please install by this system'\''s own means:\n%s\n' "$missing" >&2
  exit 1
fi

mapfile -t missing < <(missing_packages)
((${#missing[@]} == 0)) && exit 0

as_root=(env DEBIAN_FRONTEND=noninteractive)
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    printf 'There is no sudo here. Please run as root: apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo "${as_root[@]}")
fi

echo "Installing with apt: ${missing[*]}"
apt=("${as_root[@]}" apt-get --quiet=2 --option DPkg::Lock::Timeout=120)
"${apt[@]}" update || echo "apt-get update failed; going on with the lists of packages that are here" >&2
if ! "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null; then
  echo "apt could not install them. Debian 12 or newer is needed, or Ubuntu 24.04 or newer with 'universe' enabled." >&2
  exit 1
fi
