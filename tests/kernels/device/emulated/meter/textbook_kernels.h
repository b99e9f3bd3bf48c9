// Kernels whose memory traffic, bank conflicts and races are known from textbooks.
#pragma once

#include <cstdint>

#include "kernels/device/stream.h"

namespace melgrad::meter {

void copy_strided(Stream&, const float* x, float* y);        // 256 lanes, each copies its own row of 64 numbers
void copy_coalesced(Stream&, const float* x, float* y);      // 65536 numbers
void copy_misaligned(Stream&, const float* x, float* y);     // from x + 1 to y + 1, 65535 numbers
void copy_vectors(Stream&, const float* x, float* y);        // 65536 numbers, 4 per access
void transpose_unpadded(Stream&, const float* x, float* y);  // 256 x 256 in tiles of 32 x 32
void transpose_padded(Stream&, const float* x, float* y);
void ragged_loops(Stream&, const float* x, float* y);       // lane l reads l numbers of each of 4 rows
void ragged_blocks(Stream&, const float* x, float* y);      // 2 blocks of 128 threads for 160 numbers
void two_shared_arrays(Stream&, const float* x, float* y);  // 1 KiB static and 2 KiB dynamic

// Each writes the sum of 256 numbers; x [16 * 256], sums [16].
void block_sum_without_barrier(Stream&, const float* x, float* sums);
void block_sum_with_barrier(Stream&, const float* x, float* sums);
// y[i] = x[i ^ 1] through shared memory, in one warp.
void neighbours_without_syncwarp(Stream&, const float* x, float* y);
void neighbours_with_syncwarp(Stream&, const float* x, float* y);
// Two blocks of 32 threads add 1 to every bin.
void histogram_by_addition(Stream&, int32_t* bins);
void histogram_by_atomics(Stream&, int32_t* bins);
// Two blocks store the same value to y[0].
void same_value_from_two_blocks(Stream&, float* y);
// The last block adds up what all 8 blocks wrote to `partials` [8]; `arrived` must be 0. The correct order is: barrier,
// __threadfence, atomic, __threadfence, barrier.
enum class Fences { both, none, no_release, no_acquire };
void sum_by_last_block(Stream&, Fences, float* partials, unsigned* arrived, float* sum);

}  // namespace melgrad::meter
