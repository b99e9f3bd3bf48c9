#!/usr/bin/env bash
# Builds and tests with Ubuntu 24.04's own packages, in a root made for it (tools/roots.sh), which stays in build/ubuntu:
#   tools/test_ubuntu.sh [PRESET...]
# By default preset cpu. Where there can be no such root it says so, and that is no failure.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tools/roots.sh
source tools/roots.sh

if grep --quiet '^VERSION_CODENAME=noble' /etc/os-release; then pass_over "this is Ubuntu 24.04; tools/test.sh tests here"; fi
heading "Ubuntu 24.04: packages"
root=$PWD/build/ubuntu/root
make_root "$root" noble "${UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu}" main,universe
rm -rf "$root/melgrad"
copy_sources "$root/melgrad"
inside "$root" /melgrad/tools/install_packages.sh || pass_over "its packages could not be installed"

heading "Ubuntu 24.04: tests"
inside "$root" /melgrad/tools/test.sh "${@:-cpu}"
