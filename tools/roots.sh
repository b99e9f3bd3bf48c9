# Roots of other systems, to build and test in; sourced after common.sh, not run. Making one needs to be root, and
# debootstrap (which is installed where apt can) with a mirror in reach. Its first packages are checked by the other
# system's signature only where that one's keyring is installed, as debootstrap does it.
# shellcheck shell=bash

pass_over() {
  printf 'Left out: %s\n' "$*"
  exit 0
}

# make_root ROOT SUITE MIRROR COMPONENTS: a minimal system in the folder ROOT, kept for the next time. Ends the script,
# without failure, where there can be none.
make_root() {
  local root=$1 suite=$2 mirror=$3 components=$4
  ((EUID == 0)) || pass_over "making a root needs root"
  unshare --mount true 2>/dev/null || pass_over "mounting is not allowed here"
  [[ ! -e $root.made ]] || return 0
  command -v debootstrap >/dev/null ||
    DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 install --yes --no-install-recommends debootstrap >/dev/null 2>&1 ||
    pass_over "there is no debootstrap"
  rm -rf "$root"
  mkdir -p "$(dirname "$root")"
  # The script is named as older versions of debootstrap do not know newer suites; it fits all of both systems.
  debootstrap --variant=minbase --components="$components" "$suite" "$root" "$mirror" \
    /usr/share/debootstrap/scripts/gutsy >"$root.log" 2>&1 || {
    tail -3 "$root.log"
    rm -rf "$root"
    pass_over "debootstrap could not make a root from $mirror"
  }
  # The way to the mirrors (proxies and the like) is this system's.
  apt-config dump 2>/dev/null | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/90outside" || true
  touch "$root.made"
}

# inside ROOT COMMAND...: runs it in the root, with this system's ccache. The mounts are of its own mount namespace, so
# they go with it.
inside() {
  local root=$1 cache
  shift
  cache=$(ccache --get-config cache_dir 2>/dev/null) || cache=$PWD/build/ccache
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$cache" "$root/ccache"
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
