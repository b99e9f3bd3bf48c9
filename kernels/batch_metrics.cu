#include "kernels/batch_metrics.h"

#include "kernels/argmax.h"
#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int threads = 256;

// One block: a batch is a few thousand logits.
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
  dispatch(dtype, 1, {}, [&]<class T, int>() {
    launch(gather_metrics<T>, 1, threads, 0, stream, static_cast<const T*>(logits), targets, loss, gradient_norm,
           metrics, n, classes);
  });
}

}  // namespace melgrad::kernel::cuda
