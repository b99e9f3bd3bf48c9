#!/usr/bin/env bash
# with_ranks.sh COUNT PROGRAM [ARGUMENT...]: runs the program as COUNT processes under Open MPI's mpirun, also as root and
# on a machine with fewer processors. Exits with 77 (skipped) if there is no mpirun.
set -euo pipefail

count=$1
shift
command -v mpirun >/dev/null || exit 77
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
# Waiting ranks leave the processor to those that compute.
export OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1
# Open MPI does not free all memory at its end, which is no fault of ours.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
exec mpirun -n "$count" "$@"
