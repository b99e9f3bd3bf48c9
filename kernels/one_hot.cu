// A thread writes one element: 4 bytes. Labels and picks come from the L1 cache.
#include "kernels/one_hot.h"

#include "kernels/device/rows.cuh"

namespace melgrad::kernel::cuda {
namespace {

__global__ void __launch_bounds__(row_threads)
    write_one_hot(const int32_t* labels, const int64_t* picks, float* y, int64_t n, int64_t classes) {
  for_each_item(n, [&](int64_t item) { y[item] = labels[picks[item / classes]] == item % classes ? 1.0f : 0.0f; });
}

}  // namespace

void one_hot(Stream& stream, const int32_t* labels, const int64_t* picks, float* y, int64_t batch, int64_t classes) {
  const int64_t n = batch * classes;
  if (n == 0) return;
  launch(write_one_hot, row_grid(1, n), row_threads, 0, stream, labels, picks, y, n, classes);
}

}  // namespace melgrad::kernel::cuda
