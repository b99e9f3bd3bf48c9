#!/usr/bin/env bash
# Builds and tests with Ubuntu 24.04's own packages, in a root made for it:   tools/test_ubuntu.sh [PRESET...]
# By default preset cpu. Needs to be root, and debootstrap (which it installs where apt can) with a mirror in reach;
# where it cannot have them it says so and that is no failure. The root stays in build/ubuntu for the next time. Its
# first packages are checked by Ubuntu's signature only where ubuntu-keyring is installed, as debootstrap does it.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mirror=${UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu}
root=$PWD/build/ubuntu/root
cache=$(ccache --get-config cache_dir 2>/dev/null) || cache=$PWD/build/ubuntu/ccache

pass_over() {
  printf 'Ubuntu is left out: %s\n' "$*"
  exit 0
}

make_root() {
  rm -rf "$root"
  command -v debootstrap >/dev/null ||
    DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 install --yes --no-install-recommends debootstrap >/dev/null 2>&1 ||
    pass_over "there is no debootstrap"
  # Older versions of debootstrap know no noble; every release since gutsy is made by the same script.
  debootstrap --variant=minbase --components=main,universe noble "$root" "$mirror" \
    /usr/share/debootstrap/scripts/gutsy >"$root.log" 2>&1 || {
    tail -3 "$root.log"
    rm -rf "$root"
    pass_over "debootstrap could not make a root from $mirror"
  }
  # The way to the mirrors (proxies and the like) is this system's.
  apt-config dump 2>/dev/null | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/90outside" || true
}

if grep --quiet '^VERSION_CODENAME=noble' /etc/os-release; then pass_over "this is it; tools/test.sh tests here"; fi
((EUID == 0)) || pass_over "making a root needs root"
unshare --mount true 2>/dev/null || pass_over "mounting is not allowed here"
mkdir -p "$(dirname "$root")" "$cache"
if [[ ! -e $root.made ]]; then
  heading "Ubuntu 24.04: a root"
  make_root
  touch "$root.made"
fi

rm -rf "$root/melgrad"
copy_sources "$root/melgrad"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir -p "$root/ccache"

# inside COMMAND...: runs it in the root. The mounts are of its own mount namespace, so they go with it.
inside() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private bash -c '
    root=$1 cache=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "$cache" "$root/ccache"
    exec chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      LANG=C.UTF-8 CI="${CI:-}" CCACHE_DIR=/ccache "$@"' - "$root" "$cache" "$@"
}

heading "Ubuntu 24.04: packages"
inside /melgrad/tools/install_packages.sh || pass_over "its packages could not be installed"

heading "Ubuntu 24.04: tests"
inside /melgrad/tools/test.sh "${@:-cpu}"
