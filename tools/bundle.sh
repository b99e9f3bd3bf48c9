#!/usr/bin/env bash
# Makes a relocatable folder, and a .tar.xz of it, for GPU machines without melgrad's libraries:
#   tools/bundle.sh [--architectures "90"] [OUT]     OUT: build/bundle/melgrad-bundle by default
# It holds the program, the tests, the benchmarks, the libraries they need with their licences, and tools/gpu_check.sh.
# It does not hold the CUDA libraries and cuDNN: bin/run finds them on the GPU machine, which needs glibc 2.36 or newer.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

architectures="75;80;86;89;90;100;120" out=build/bundle/melgrad-bundle
while (($# > 0)); do
  case $1 in
    --architectures) architectures=$2 && shift 2 ;;
    -*) stop "usage: tools/bundle.sh [--architectures LIST] [OUT]" ;;
    *) out=$1 && shift ;;
  esac
done

CUDACXX=$(cuda_compiler) || stop "nvcc was not found; add it to PATH, or set CUDACXX to its path"
export CUDACXX
heading "cuda: build for $architectures"
cmake --preset cuda -B build/bundle/cuda -D MELGRAD_CUDA_ARCHITECTURES="$architectures" >/dev/null
cmake --build build/bundle/cuda --parallel "$processors"

heading "bundle: $out"
[[ ! -e $out || -e $out/bin/run ]] || stop "$out exists and is not a bundle; remove it, or choose another folder"
rm -rf "$out"
mkdir -p "$out"/{bin,lib,licences,fonts,tools,tests}
for program in melgrad tests/melgrad_tests bench/melgrad_bench; do
  strip --strip-unneeded -o "$out/bin/$(basename $program)" "build/bundle/cuda/$program"
done
cp tools/bundle_run.sh "$out/bin/run"
for program in melgrad melgrad_tests melgrad_bench; do
  ln --symbolic --relative "$out/bin/run" "$out/$program"
done
cp tools/gpu_check.sh "$out/tools"
cp -r tests/fixtures "$out/tests/fixtures"
rm -f "$out"/tests/fixtures/*.py
cp -r bench "$out/bench"
rm -rf "$out"/bench/{results,fingerprint,__pycache__,*.cpp,*.h,CMakeLists.txt}
cp LICENSE "$out/licences/melgrad"
mkdir "$out/bench/results"
cp bench/results/predicted_*.json "$out/bench/results"

# Prints the name and the path of every library that the programs load.
loaded() {
  ldd "$out"/bin/melgrad "$out"/bin/melgrad_tests "$out"/bin/melgrad_bench | awk '$2 == "=>" { print $1, $3 }' | sort -u
}
# Prints the Debian package that owns a file. dpkg may list a file under /lib that the loader finds under /usr/lib.
package_of() {
  local path
  for path in "$1" "${1#/usr}"; do
    dpkg-query --search "$path" 2>/dev/null | head --lines 1 | cut --delimiter : --fields 1 | grep . && return
  done
  return 1
}
of_the_c_library='^(libc|libm|libdl|librt|libpthread|libresolv|ld-linux.*)\.so'
of_cuda='^(libcu|libnv)'
loaded | awk '{ print $1 }' | grep -E "$of_cuda" >"$out/lib/cuda-libraries.txt" || true
while read -r name path; do
  [[ $name =~ $of_the_c_library || $name =~ $of_cuda ]] && continue
  cp --dereference "$path" "$out/lib/$name"
  package=$(package_of "$(readlink -f "$path")") || stop "no Debian package owns $path, so its licence is unknown; install the library from a package"
  cp "/usr/share/doc/$package/copyright" "$out/licences/$package"
done < <(loaded)
cp /usr/share/fonts/truetype/dejavu/DejaVuSans{,-Bold}.ttf "$out/fonts"
cp /usr/share/doc/fonts-dejavu-core/copyright "$out/licences/fonts-dejavu-core"
# Copyright files refer to common licence texts by path; a path that does not exist is a misspelling and is skipped.
grep --only-matching --no-filename --extended-regexp '/usr/share/common-licenses/[A-Za-z0-9]+(-[0-9.]*[0-9])?' "$out"/licences/* |
  sort -u | while read -r text; do [[ ! -e $text ]] || cp --dereference --target-directory "$out/licences" "$text"; done
cat >"$out/fonts/fonts.conf" <<'XML'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir prefix="relative">.</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
XML

# The three programs contain the same kernels. A dictionary of 64 MiB (-9) finds the repetition, one of 8 MiB does not.
tar --create --use-compress-program "xz -9" --file "$out.tar.xz" --directory "$(dirname "$out")" "$(basename "$out")"
du --human-readable --summarize "$out" "$out.tar.xz"
