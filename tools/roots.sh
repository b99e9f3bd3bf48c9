# Creates root file systems of other systems to build and test in; sourced after common.sh, not run. Creating one needs
# root rights, debootstrap (installed with apt if missing) and a reachable mirror. debootstrap checks the signature of
# the packages only if the keyring of the other system is installed.
# shellcheck shell=bash

pass_over() {
  printf 'Left out: %s\n' "$*"
  exit 0
}

# make_root ROOT SUITE MIRROR COMPONENTS: creates a minimal system in the folder ROOT, or keeps an earlier one. Ends the
# script with exit code 0 if this machine cannot create one.
make_root() {
  local root=$1 suite=$2 mirror=$3 components=$4
  ((EUID == 0)) || pass_over "creating a root file system needs root rights"
  unshare --mount true 2>/dev/null || pass_over "this machine does not allow mounts"
  [[ ! -e $root.made ]] || return 0
  command -v debootstrap >/dev/null ||
    DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 install --yes --no-install-recommends debootstrap >/dev/null 2>&1 ||
    pass_over "debootstrap is not installed and apt cannot install it"
  rm -rf "$root"
  mkdir -p "$(dirname "$root")"
  # Older versions of debootstrap do not know newer suites. The script "gutsy" fits every suite of Debian and Ubuntu.
  debootstrap --variant=minbase --components="$components" "$suite" "$root" "$mirror" \
    /usr/share/debootstrap/scripts/gutsy >"$root.log" 2>&1 || {
    tail -3 "$root.log"
    rm -rf "$root"
    pass_over "debootstrap could not create a root file system from $mirror"
  }
  # The root uses the proxy settings of this system.
  apt-config dump 2>/dev/null | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/90outside" || true
  touch "$root.made"
}

# inside ROOT COMMAND...: runs a command in the root file system, with this system's ccache. The mounts are in a mount
# namespace of their own and disappear with it.
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
