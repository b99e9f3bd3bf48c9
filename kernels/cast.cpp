#include "kernels/cast.h"

#include "kernels/device/bfloat16.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

template <class From, class To>
void convert(const void* x, void* y, int64_t n) {
  const auto* in = static_cast<const From*>(x);
  auto* out = static_cast<To*>(y);
#pragma omp parallel for simd schedule(static) if (parallel : n >= worth_a_team)
  for (int64_t i = 0; i < n; ++i) out[i] = from_float<To>(to_float(in[i]));
}

}  // namespace

void cast(Stream&, const void* x, DType from, void* y, int64_t n) {
  if (from == DType::float32) {
    convert<float, bfloat16>(x, y, n);
  } else {
    convert<bfloat16, float>(x, y, n);
  }
}

}  // namespace melgrad::kernel::cpu
