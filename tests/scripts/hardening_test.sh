#!/usr/bin/env bash
# Checks by ELF headers and symbols that a program is hardened (docs/security.md):   tests/scripts/hardening_test.sh PROGRAM
set -euo pipefail
program=$1

# require WHAT PATTERN READELF_OPTIONS...
require() {
  local what=$1 pattern=$2
  shift 2
  if ! LC_ALL=C readelf --wide "$@" "$program" | grep --extended-regexp "$pattern" >/dev/null; then
    echo "$program: no $what" >&2
    exit 1
  fi
}

require "position-independent executable" 'Type: +DYN' --file-header
require "read-only relocations (relro)" 'GNU_RELRO' --program-headers
require "binding at start (now)" 'FLAGS_1.*NOW' --dynamic
require "stack protector" '__stack_chk_fail' --dyn-syms
require "fortified library functions" '__[a-z]+_chk(@|$)' --dyn-syms
if LC_ALL=C readelf --wide --program-headers "$program" | grep --extended-regexp 'GNU_STACK.* RWE' >/dev/null; then
  echo "$program: its stack is executable" >&2
  exit 1
fi
if [[ $(uname --machine) == x86_64 ]]; then
  # The linker drops the ELF note because the start files of the C library lack it, so this counts landing pads.
  if (($(objdump --disassemble --section=.text "$program" | grep --count endbr64) < 100)); then
    echo "$program: no control-flow protection" >&2
    exit 1
  fi
fi
