// The norm of all gradients: a partial sum per chunk, then one block that adds the partial sums. The order of the
// additions depends on the sizes alone.
//
// Memory traffic per gradient element: 4 bytes in float32, 2 in bfloat16. Partial sums add 8 bytes per chunk of 4096
// elements.
//
// One launch reads all gradients of a model, in accesses of 4 elements. Norm and scale stay in device memory, so the
// host does not wait.
#include "kernels/gradient_norm.h"

#include "kernels/device/chunks.cuh"

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

__global__ void __launch_bounds__(chunk_threads)
    gradient_norm_chunks(const GradientSlot* slots, const Chunk* chunks, float* partials) {
  const Chunk chunk = chunks[blockIdx.x];
  const GradientSlot slot = slots[chunk.array];
  const float sum = block_sum<chunk_threads>(
      slot.dtype == DType::bfloat16 ? sum_of_squares(static_cast<const bfloat16*>(slot.gradient), slot.n, chunk)
                                    : sum_of_squares(static_cast<const float*>(slot.gradient), slot.n, chunk));
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(chunk_threads)
    gradient_norm_finish(const float* partials, int64_t count, float max_norm, float* norm, float* scale) {
  const float result = sqrtf(block_sum<chunk_threads>(partials, count));
  if (threadIdx.x > 0) return;
  *norm = result;
  *scale = clipping_factor(result, max_norm);
}

}  // namespace

void gradient_norm(Stream& stream, const GradientSlot* slots, int64_t, ChunkTable table, float max_norm, float* norm,
                   float* scale) {
  auto* partials = static_cast<float*>(stream.workspace(table.count * sizeof(float)));
  if (table.count > 0) {
    launch(gradient_norm_chunks, static_cast<unsigned>(table.count), chunk_threads, 0, stream, slots, table.chunks,
           partials);
  }
  launch(gradient_norm_finish, 1, chunk_threads, 0, stream, partials, table.count, max_norm, norm, scale);
}

}  // namespace melgrad::kernel::cuda
