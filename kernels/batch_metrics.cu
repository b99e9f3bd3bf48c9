// The metrics of a training step, by one block.
//
// Memory traffic per logit: 8 bytes in float32, 6 in 16 bits (logit and target read once). The kernel writes 12 bytes
// in total.
//
// A batch has a few thousand logits, so the time is that of a launch, and one block needs no second kernel. It counts
// integers, so the order of the atomic additions does not matter.
#include "kernels/batch_metrics.h"

#include "kernels/argmax.h"
#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int threads = 256;

// A thread takes one row of logits after another.
template <class T>
__global__ void __launch_bounds__(threads)
    gather_metrics(const T* logits, const float* targets, const float* loss, const float* gradient_norm,
                   BatchMetrics* metrics, int64_t n, int64_t classes) {
  SHARED(int32_t, correct, [1]);
  if (threadIdx.x == 0) correct[0] = 0;
  __syncthreads();
  for (int64_t row = threadIdx.x; row < n; row += threads) {
    if (argmax(logits + row * classes, classes) == argmax(targets + row * classes, classes)) atomicAdd(&correct[0], 1);
  }
  __syncthreads();
  if (threadIdx.x == 0) *metrics = {.loss = *loss, .gradient_norm = *gradient_norm, .correct = correct[0]};
}

}  // namespace

void batch_metrics(Stream& stream, const void* logits, const float* targets, const float* loss,
                   const float* gradient_norm, BatchMetrics* metrics, DType dtype, int64_t n, int64_t classes) {
  dispatch_type(dtype, [&]<class T>() {
    launch(gather_metrics<T>, 1, threads, 0, stream, static_cast<const T*>(logits), targets, loss, gradient_norm,
           metrics, n, classes);
  });
}

}  // namespace melgrad::kernel::cuda
