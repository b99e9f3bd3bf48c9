#include "kernels/cast.h"

#include "kernels/device/elementwise.h"

namespace melgrad::kernel::cpu {

void cast(Stream&, const void* x, DType from, void* y, DType to, int64_t n) {
  const auto identity = [](float value) { return value; };
  if (from == DType::float32) {
    dispatch_type(
        to, [&]<class To>() { compute_elementwise(n, identity, static_cast<To*>(y), static_cast<const float*>(x)); });
  } else {
    dispatch_type(from, [&]<class From>() {
      compute_elementwise(n, identity, static_cast<float*>(y), static_cast<const From*>(x));
    });
  }
}

}  // namespace melgrad::kernel::cpu
