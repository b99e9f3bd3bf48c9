#!/usr/bin/env bash
# Checks all tracked files, or the given ones, with clang-format 14, clang-tidy 16 and shellcheck:
#   tools/lint.sh [FILE...]
# The versions are fixed because other versions format differently and give other warnings.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for tool in clang-format-14 run-clang-tidy-16 shellcheck; do
  command -v "$tool" >/dev/null ||
    stop "$tool is not installed; on Debian 12: apt-get install clang-format-14 clang-tidy-16 libomp-16-dev shellcheck"
done
if (($# > 0)); then files=("$@"); else mapfile -t files < <(git ls-files); fi

# ending REGEX: prints the files whose names end with REGEX.
ending() { printf '%s\n' "${files[@]}" | grep --extended-regexp "($1)\$" || true; }

failed=0

heading "clang-format"
mapfile -t formatted < <(ending '\.(h|cpp|cu|cuh)')
if ((${#formatted[@]} > 0)); then clang-format-14 --dry-run --Werror "${formatted[@]}" || failed=1; fi

heading "shellcheck"
mapfile -t scripts < <(ending '\.sh|\.ci/run')
if ((${#scripts[@]} > 0)); then shellcheck --external-sources "${scripts[@]}" || failed=1; fi

heading "clang-tidy"
mapfile -t compiled < <(ending '\.cpp')
if ((${#compiled[@]} > 0)); then
  cmake --preset cpu -B build/lint -D MELGRAD_UNITY_BUILD=OFF >/dev/null
  # Files that this preset does not compile (the emulated device) are not in compile_commands.json and are skipped.
  run-clang-tidy-16 -quiet -p build/lint -j "$processors" "${compiled[@]/#/^$PWD/}" 2>/dev/null || failed=1
fi

if ((failed)); then stop "lint failed; see the messages above"; fi
echo "lint passed"
