#!/usr/bin/env bash
# Builds and tests with the packages of Ubuntu 24.04, in a root file system (tools/roots.sh) kept in build/ubuntu:
#   tools/test_ubuntu.sh [PRESET...]
# The default preset is cpu. If this machine cannot create a root file system, the script says so and exits with 0.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tools/roots.sh
source tools/roots.sh

if grep --quiet '^VERSION_CODENAME=noble' /etc/os-release; then pass_over "this system is Ubuntu 24.04; run tools/test.sh"; fi
heading "Ubuntu 24.04: packages"
root=$PWD/build/ubuntu/root
make_root "$root" noble "${UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu}" main,universe
rm -rf "$root/melgrad"
copy_sources "$root/melgrad"
inside "$root" /melgrad/tools/install_packages.sh || pass_over "the packages of Ubuntu 24.04 could not be installed"

heading "Ubuntu 24.04: tests"
inside "$root" /melgrad/tools/test.sh "${@:-cpu}"
