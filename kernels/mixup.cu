// mixup.
//
// Memory traffic per element: 12 bytes in float32, 6 in 16 bits (two examples read, one written). A launch reads every
// element twice. If the batch fits in the L2 cache, the second read comes from there: 8 and 4 bytes remain.
//
// A small kernel draws lambda once per example and mixes the targets. The examples move 16 bytes per access if their
// size is a multiple of that, otherwise one element.
#include "kernels/mixup.h"

#include "kernels/device/rows.cuh"

namespace melgrad::kernel::cuda {
namespace {

// A block is one warp and mixes the targets of one example. All lanes draw the same lambda: one lane alone would take
// as long.
__global__ void mixup_targets(const float* targets, float* mixed_targets, float* lambdas, int64_t batch,
                              int64_t classes, float alpha, RandomStream random) {
  const int64_t example = blockIdx.x, partner = batch - 1 - example;
  const float lambda = mixup_lambda(random, example, batch, alpha);
  if (threadIdx.x == 0) lambdas[example] = lambda;
  for (int64_t c = threadIdx.x; c < classes; c += warp_size) {
    mixed_targets[example * classes + c] =
        mixed(targets[example * classes + c], targets[partner * classes + c], lambda);
  }
}

// A row of items is one example; an item is one vector of it.
template <class T, int width>
__global__ void __launch_bounds__(row_threads)
    mixup_examples(const T* x, T* y, const float* lambdas, int64_t elements) {
  const T* const own = x + blockIdx.x * elements;
  const T* const other = x + (gridDim.x - 1 - blockIdx.x) * elements;
  const float lambda = lambdas[blockIdx.x];
  for_each_item(elements / width, [&](int64_t item) {
    auto values = load<width>(own + item * width);
    const auto others = load<width>(other + item * width);
    for (int k = 0; k < width; ++k) values[k] = from_float<T>(mixed(to_float(values[k]), to_float(others[k]), lambda));
    store(y + blockIdx.x * elements + item * width, values);
  });
}

}  // namespace

void mixup(Stream& stream, const void* x, const float* targets, void* y, float* mixed_targets, DType dtype,
           int64_t batch, int64_t elements, int64_t classes, float alpha, RandomStream random) {
  require_mixable(alpha, "mixup");
  if (batch == 0) return;
  auto* lambdas = static_cast<float*>(stream.workspace(batch * sizeof(float)));
  launch(mixup_targets, static_cast<unsigned>(batch), warp_size, 0, stream, targets, mixed_targets, lambdas, batch,
         classes, alpha, random);
  dispatch(dtype, elements, {x, y}, [&]<class T, int width>() {
    launch(mixup_examples<T, width>, row_grid(batch, elements / width), row_threads, 0, stream,
           static_cast<const T*>(x), static_cast<T*>(y), lambdas, elements);
  });
}

}  // namespace melgrad::kernel::cuda
