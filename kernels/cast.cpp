#include "kernels/cast.h"

#include "kernels/device/elementwise.h"

namespace melgrad::kernel::cpu {

void cast(Stream&, const void* x, DType from, void* y, int64_t n) {
  const auto identity = [](float value) { return value; };
  if (from == DType::float32) {
    compute_elementwise(n, identity, static_cast<bfloat16*>(y), static_cast<const float*>(x));
  } else {
    compute_elementwise(n, identity, static_cast<float*>(y), static_cast<const bfloat16*>(x));
  }
}

}  // namespace melgrad::kernel::cpu
