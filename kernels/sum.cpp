#include "kernels/sum.h"

#include "kernels/device/elementwise.h"

namespace melgrad::kernel::cpu {

void sum_forward(Stream&, const void* x, float* y, DType dtype, int64_t n, float factor) {
  require_float32(dtype, "sum_forward");
  const auto* in = static_cast<const float*>(x);
  const double total = chunked_sum(n, 16384, [in](int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t i = begin; i < end; ++i) sum += static_cast<double>(in[i]);
    return sum;
  });
  *y = static_cast<float>(static_cast<double>(factor) * total);
}

void sum_backward(Stream&, const float* dy, void* dx, DType dtype, int64_t n, float factor) {
  run_elementwise(
      "sum_backward", dtype, n, [value = factor * *dy] { return value; }, dx);
}

}  // namespace melgrad::kernel::cpu
