#!/usr/bin/env bash
# Builds the Debian packages of preset cpu and tests them in an empty root file system of the same Debian release
# (tools/roots.sh): installs them, runs the program, and builds programs against the library.   tools/test_package.sh
# If this machine cannot create a root file system, the script says so and exits with 0.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tools/roots.sh
source tools/roots.sh

system=$(. /etc/os-release && echo "$ID ${VERSION_CODENAME:-}")
[[ $system == debian\ * ]] || pass_over "this system is not Debian"
command -v dpkg-shlibdeps >/dev/null || pass_over "dpkg-shlibdeps is not installed (package dpkg-dev)"

heading "Debian packages"
folder=$PWD/build/package empty=$PWD/build/package/debian
make_root "$empty" "${system#* }" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" main
build cpu
rm -f "$folder"/*.deb
cpack --config build/cpu/CPackConfig.cmake -B "$folder" >"$folder/cpack.log" || stop "$(tail -5 "$folder/cpack.log")"
(cd "$folder" && du --apparent-size --human-readable ./*.deb)

root=$folder/root
rm -rf "$root"
trap 'rm -rf "$root"' EXIT
cp --archive --reflink=auto "$empty" "$root"
copy_sources "$root/sources"
cp "$folder"/*.deb "$root/"
inside "$root" apt-get --quiet=2 update || pass_over "no Debian mirror can be reached"

install() {
  inside "$root" env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 install --yes --no-install-recommends "$@" \
    >"$folder/apt.log" 2>&1 || stop "$(tail -5 "$folder/apt.log")"
}

heading "Debian packages: the program"
install "/$(basename "$folder"/melgrad_*.deb)"
inside "$root" bash -euc '
  melgrad --version
  melgrad synth music --tracks-per-genre 4 --seconds 4 --quiet >/dev/null
  melgrad check music --quiet | tail -1
  melgrad train music --model cnn --epochs 1 --crop-frames 64 --out run --quiet
  melgrad predict run music/blues/blues.00000.wav --quiet
  zgrep --quiet "^.TH" /usr/share/man/man1/melgrad.1*'

heading "Debian packages: the library"
install "/$(basename "$folder"/libmelgrad-dev_*.deb)" g++ cmake ninja-build
inside "$root" /sources/tests/scripts/installed_tree.sh /sources /usr
inside "$root" apt-get --quiet=2 purge --yes melgrad libmelgrad-dev >/dev/null
left=$(find "$root/usr" -iname '*melgrad*')
[[ -z $left ]] || stop "these files remain after the packages were removed: $left"
