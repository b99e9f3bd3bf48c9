// The sum of an array: each block adds up one chunk of 4096 elements, and the last block the partial sums. The
// order depends on the size alone, so the result is bit-identical in every run. Memory traffic: 4 bytes read per
// element in float32, 2 in 16 bits; the partial sums add 8 bytes per chunk. The gradient writes as many bytes and
// reads one float.
#include "kernels/sum.h"

#include <algorithm>

#include "kernels/device/chunks.cuh"
#include "kernels/device/elementwise.cuh"
#include "kernels/device/last_block.cuh"

namespace melgrad::kernel::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(chunk_threads)
    sum_chunks(const T* x, int64_t n, float factor, float* partials, unsigned* arrivals, float* y) {
  float sum = 0;
  const Chunk chunk{.array = 0, .index = static_cast<int32_t>(blockIdx.x)};
  for_each_vector(chunk, n, aligned_to_vector(x), [&]<int width>(int64_t i) {
    const auto values = load<width>(x + i);
    for (int k = 0; k < width; ++k) sum += to_float(values[k]);
  });
  float total;
  const bool is_last = grid_sum<chunk_threads>(block_sum<chunk_threads>(sum), partials, arrivals, total);
  if (is_last && threadIdx.x == 0) *y = factor * total;
}

struct Constant {
  const float* dy;
  float factor;
  __device__ float operator()() const { return factor * *dy; }
};

}  // namespace

void sum_forward(Stream& stream, const void* x, float* y, DType dtype, int64_t n, float factor) {
  const int64_t blocks = std::max<int64_t>(1, ceil_divide(n, chunk_elements));
  auto* const partials = static_cast<float*>(stream.workspace(blocks * sizeof(float)));
  dispatch_type(dtype, [&]<class T>() {
    launch(sum_chunks<T>, static_cast<unsigned>(blocks), chunk_threads, 0, stream, static_cast<const T*>(x), n, factor,
           partials, arrival_counters(stream, 1), y);
  });
}

void sum_backward(Stream& stream, const float* dy, void* dx, DType dtype, int64_t n, float factor) {
  launch_elementwise(stream, dtype, n, Constant{dy, factor}, dx);
}

}  // namespace melgrad::kernel::cuda
