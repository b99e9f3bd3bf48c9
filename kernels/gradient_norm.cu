// The norm of all gradients: a partial sum per chunk; the last block adds the partial sums. The order of the additions
// depends on the sizes alone.
//
// Memory traffic per gradient element: 4 bytes in float32, 2 in 16 bits. Partial sums add 8 bytes per
// chunk of 4096 elements.
//
// One launch reads all gradients of a model, in accesses of 4 elements. Norm and scale stay in device memory, so the
// host does not wait.
#include "kernels/gradient_norm.h"

#include <algorithm>

#include "kernels/device/chunks.cuh"
#include "kernels/device/last_block.cuh"

namespace melgrad::kernel::cuda {
namespace {

template <class T>
__device__ float sum_of_squares(const T* gradient, int64_t n, Chunk chunk) {
  float sum = 0;
  for_each_vector(chunk, n, aligned_to_vector(gradient), [&]<int width>(int64_t i) {
    const auto values = load<width>(gradient + i);
    for (int k = 0; k < width; ++k) sum += to_float(values[k]) * to_float(values[k]);
  });
  return sum;
}

// The norm is 0 if there is no chunk.
__global__ void __launch_bounds__(chunk_threads)
    gradient_norm_chunks(const GradientSlot* slots, const Chunk* chunks, int64_t count, float max_norm, float* partials,
                         unsigned* arrivals, float* norm, float* scale) {
  float sum = 0;
  if (blockIdx.x < count) {
    const Chunk chunk = chunks[blockIdx.x];
    const GradientSlot slot = slots[chunk.array];
    sum = with_gradient_type(
        slot.dtype, [&]<class T>() { return sum_of_squares(static_cast<const T*>(slot.gradient), slot.n, chunk); });
  }
  float total;
  if (!grid_sum<chunk_threads>(block_sum<chunk_threads>(sum), partials, arrivals, total) || threadIdx.x > 0) return;
  *norm = sqrtf(total);
  *scale = clipping_factor(*norm, max_norm);
}

}  // namespace

void gradient_norm(Stream& stream, const GradientSlot* slots, int64_t, ChunkTable table, float max_norm, float* norm,
                   float* scale) {
  const int64_t blocks = std::max<int64_t>(1, table.count);
  auto* const partials = static_cast<float*>(stream.workspace(blocks * sizeof(float)));
  launch(gradient_norm_chunks, static_cast<unsigned>(blocks), chunk_threads, 0, stream, slots, table.chunks,
         table.count, max_norm, partials, arrival_counters(stream, 1), norm, scale);
}

}  // namespace melgrad::kernel::cuda
